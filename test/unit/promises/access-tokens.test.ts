import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { callApi } from '../../support/call-api.ts';
import { MemorySigner } from '../../support/memory-signer.ts';
import { type MemoryVault, PUBLIC_URL } from '../../support/memory-vault.ts';
import { type Browser, loggedIn } from '../../support/people.ts';
import { ADA, MINUTE, peopleWorld, SECOND, skewed } from './world.ts';

const ACCESS = '__Host-lockzero_access';

let vault: MemoryVault;
let browser: Browser;
let good: string;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
  browser = await loggedIn(vault, ADA);
  good = browser.cookies.get(ACCESS) ?? '';
});

type Json = Record<string, unknown>;

function decoded(token: string): { readonly header: Json; readonly claims: Json } {
  const [header = '', claims = ''] = token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString());
  return { header: JSON.parse(header), claims: JSON.parse(claims) };
}

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

type Signing = (input: string) => Promise<Uint8Array> | Uint8Array;
const byVault: Signing = async (input) => (await vault.signer.sign(Buffer.from(input))).signature;

/** The good token with another header or other claims, signed anew; `undefined` leaves a member out. */
async function forge(header: Json, claims: Json, signing: Signing = byVault): Promise<string> {
  const parts = decoded(good);
  const input = `${encode({ ...parts.header, ...header })}.${encode({ ...parts.claims, ...claims })}`;
  return `${input}.${Buffer.from(await signing(input)).toString('base64url')}`;
}

/** How a token is answered as a Bearer token and as a cookie, which must agree. */
async function answer(token: string): Promise<number> {
  const call = { method: 'GET', path: '/auth/session' };
  const bearer = await callApi(vault, { ...call, token });
  const cookie = await callApi(vault, { ...call, headers: { Cookie: `${ACCESS}=${token}` } });
  expect(cookie.status).toBe(bearer.status);
  return bearer.status;
}

/** An attacker's own key of any kind. */
const attacker = generateKeyPairSync('ed25519');
const byAttacker: Signing = (input) => sign(null, Buffer.from(input), attacker.privateKey);
const attackerJwk = attacker.publicKey.export({ format: 'jwk' });
const hmac =
  (key: Uint8Array | string, hash = 'sha256'): Signing =>
  (input) =>
    createHmac(hash, key).update(input).digest();

it('V9: the token as it was issued is good, and says no more than it has to', async () => {
  expect(await answer(good)).toBe(200);
  expect(await answer(await forge({}, {}))).toBe(200);
  const { header, claims } = decoded(good);
  expect(header).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: (await vault.signer.publicKeys())[0]?.keyId });
  expect(Object.keys(claims).toSorted()).toEqual([
    'aud',
    'client_id',
    'exp',
    'fam',
    'gen',
    'iat',
    'iss',
    'jti',
    'lid',
    'sid',
    'sub',
    'ws',
  ]);
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300);
});

describe('V9: no other algorithm, and no key but the vault’s own', () => {
  it.each(['none', 'None', 'NONE', ''])('alg %p without a signature', async (alg) => {
    expect(await answer(await forge({ alg }, {}, () => new Uint8Array()))).toBe(401);
    expect(await answer(await forge({ alg }, {}))).toBe(401);
  });

  it.each(['HS256', 'HS384', 'HS512'])('%s keyed with the public key', async (alg) => {
    const [key] = await vault.signer.publicKeys();
    const raw = key?.publicKey ?? new Uint8Array();
    const jwk = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(raw).toString('base64url') });
    const hash = `sha${alg.slice(2)}`;
    for (const secret of [raw, Buffer.from(raw).toString('base64url'), jwk]) {
      expect(await answer(await forge({ alg }, {}, hmac(secret, hash)))).toBe(401);
    }
  });

  it.each(['Ed25519', 'ES256', 'RS256', 'PS256', 'eddsa'])(
    '%s in the header of a good signature',
    async (alg) => {
      expect(await answer(await forge({ alg }, {}))).toBe(401);
    },
  );

  it.each([
    ['jwk', { jwk: attackerJwk }],
    ['jku', { jku: 'https://evil.example.com/jwks.json' }],
    ['x5u', { x5u: 'https://evil.example.com/cert.pem' }],
    ['x5c', { x5c: ['MIIB'] }],
  ])('a key that the token brings along as %s', async (_, header) => {
    for (const kid of [decoded(good).header['kid'], undefined, 'evil']) {
      expect(await answer(await forge({ ...header, kid }, {}, byAttacker))).toBe(401);
    }
  });

  it('a key id that is not the vault’s, with a good signature', async () => {
    for (const kid of [undefined, '', 'other', 1, '../../etc/passwd', ['a']]) {
      expect(await answer(await forge({ kid }, {}))).toBe(401);
    }
  });

  it('another key under the vault’s key id', async () => {
    const other = new MemorySigner(new Uint8Array(32).fill(3));
    const signing: Signing = async (input) => (await other.sign(Buffer.from(input))).signature;
    expect(await answer(await forge({}, {}, signing))).toBe(401);
  });
});

it.each([
  ['an unknown one', { crit: ['x'], x: 1 }],
  ['one of RFC 7797', { crit: ['b64'], b64: false }],
  ['an empty list', { crit: [] }],
])('V9: a critical extension, %s, is refused', async (_, header) => {
  expect(await answer(await forge(header, {}))).toBe(401);
});

describe('V9: only access tokens for this audience, of this issuer', () => {
  it.each([
    ['typ', 'JWT'],
    ['typ', 'id+jwt'],
    ['typ', 'logout+jwt'],
    ['typ', undefined],
  ])('header %s %p is refused', async (name, value) => {
    expect(await answer(await forge({ [name]: value }, {}))).toBe(401);
  });

  it.each<[string, unknown]>([
    ['iss', 'https://evil.example.com'],
    ['iss', undefined],
    ['iss', `${PUBLIC_URL}/`],
    ['aud', 'https://evil.example.com'],
    ['aud', undefined],
    ['aud', []],
    ['aud', [PUBLIC_URL, 'https://evil.example.com']],
    ['sub', undefined],
    ['sub', '00000000-0000-4000-8000-000000000000'],
    ['sid', undefined],
    ['sid', `ses_${'0'.repeat(32)}`],
    ['ws', undefined],
    ['ws', '_platform'],
    ['gen', undefined],
    ['gen', 0],
    ['gen', 2],
    ['jti', undefined],
    ['client_id', 'lockzero-cli'],
  ])('claim %s %p is refused', async (name, value) => {
    expect(await answer(await forge({}, { [name]: value }))).toBe(401);
  });
});

describe('V9: only in their time', () => {
  it('for five minutes, without tolerance', async () => {
    vault.clock.advance(5 * MINUTE - 1);
    expect(await answer(good)).toBe(200);
    vault.clock.advance(1);
    expect(await answer(good)).toBe(401);
  });

  it.each<[string, unknown]>([
    ['exp', undefined],
    ['exp', 'tomorrow'],
    ['iat', undefined],
    ['nbf', Date.parse('2026-01-01T00:01:00Z') / SECOND],
  ])('%s %p is refused', async (name, value) => {
    expect(await answer(await forge({}, { [name]: value }))).toBe(401);
  });

  it('by a clock five minutes ahead it is over, and by one behind it is good no longer than it should', async () => {
    const call = { method: 'GET', path: '/auth/session', token: good };
    expect((await callApi(skewed(vault, 5 * MINUTE), call)).status).toBe(401);
    vault.clock.advance(10 * MINUTE);
    expect((await callApi(skewed(vault, -5 * MINUTE), call)).status).toBe(401);
  });
});

it('V9: tokens that are no JWT, torn or over-long are refused', async () => {
  const [header = '', claims = '', signature = ''] = good.split('.');
  const torn = [
    `${header}.${claims}.`,
    `${header}.${claims}`,
    `${header}..${signature}`,
    `.${claims}.${signature}`,
    `${good}.${signature}`,
    `${header}.${claims}.${signature.slice(0, -1)}`,
    `${header}.${encode({ ...decoded(good).claims, gen: 9 })}.${signature}`,
    `${good}${'A'.repeat(3_000)}`,
    await forge({}, { filler: 'x'.repeat(3_000) }),
    'ey.ey.ey',
  ];
  for (const token of torn) expect(await answer(token)).toBe(401);
});

describe('V9: a token of one purpose is none of another', () => {
  it('a refresh token is no access token, and the reverse', async () => {
    expect(await answer(browser.cookies.get('__Host-lockzero_refresh') ?? '')).toBe(401);
    const headers = { Cookie: `__Host-lockzero_refresh=${good}`, 'X-CSRF-Token': browser.csrfToken ?? '' };
    expect((await callApi(vault, { method: 'POST', path: '/auth/refresh', headers })).status).toBe(401);
  });

  it('neither are CSRF tokens, device tokens, reset tokens or cursors', async () => {
    await browser.post('/auth/password/forgot', { email: ADA });
    const others = [
      browser.csrfToken ?? '',
      browser.cookies.get('__Host-lockzero_device') ?? '',
      vault.mail.tokenFor(ADA),
    ];
    for (const token of others) expect(await answer(token)).toBe(401);
    for (const token of others) {
      const json = { mfaToken: token, code: '000000' };
      expect((await callApi(vault, { method: 'POST', path: '/auth/mfa', json })).status).toBe(401);
    }
  });

  it('a device token is no CSRF token', async () => {
    const [, ...tag] = (browser.cookies.get('__Host-lockzero_device') ?? '').split('.');
    browser.csrfToken = tag.join('.');
    expect((await browser.post('/auth/logout')).status).toBe(403);
  });
});

import { createHash } from 'node:crypto';
import type { RequestContext } from '../../../core/access/principal.ts';
import { type ApiKey, apiKeyId, isToken, newToken, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { createApiKey, type NewApiKey } from '../../../core/identity/create-api-key.ts';
import { listApiKeys } from '../../../core/identity/list-api-keys.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { addKey } from '../../support/api-world.ts';
import {
  CALLER,
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';
import { SeededRandom } from '../../support/random.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let ownerToken: string;
beforeEach(async () => {
  const installation = await installedVault();
  ({ vault, owner } = installation);
  ({ workspaceId } = owner.principal);
  ownerToken = installation.installed.token;
});

const INPUT: NewApiKey = { name: 'ci', role: 'operator', namespaces: ['prod'] };
const login = (token: string, header = `Bearer ${token}`) => authenticate(vault, header, CALLER);
const unauthenticated = { code: 'unauthenticated' };
/** The reasons for which strangers were refused, as this workspace's trail tells them. */
const reasons = (): (string | undefined)[] =>
  rowsOf(vault, workspaceId, 1).map(({ detail }) => detail['reason']);

async function make(input: Partial<NewApiKey> = {}): Promise<{ id: string; token: string }> {
  const { apiKey, token = '' } = await createApiKey(vault, owner, { ...INPUT, ...input });
  return { id: apiKey.id, token };
}

/** The next commit takes effect, but whatever is tried, no answer comes back; what follows goes well. */
function loseAnswers(): void {
  let appends = 0;
  vault.tables.faults = async ({ name }) => {
    if (name !== 'ledger.append') return 'none';
    appends += 1;
    if (appends === 1) return 'after';
    return appends <= 10 ? 'before' : 'none';
  };
}

describe('a token', () => {
  it('is lz_ and 43 characters of base64url: 32 random bytes', () => {
    const token = newToken(new SeededRandom(1));
    expect(token).toMatch(/^lz_[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(token.slice(3), 'base64url')).toHaveLength(32);
    expect(isToken(token)).toBe(true);
  });

  it.each([
    '',
    'lz_',
    `lz_${'a'.repeat(42)}`,
    `lz_${'a'.repeat(44)}`,
    `LZ_${'a'.repeat(43)}`,
    `lz_${'a'.repeat(42)}+`,
    `lz_${'a'.repeat(43)}\n`,
  ])('is not %p', (text) => {
    expect(isToken(text)).toBe(false);
  });

  it('gives the id of its key, which is nothing of the hash that is compared', () => {
    const token = `lz_${'a'.repeat(43)}`;
    const hash = createHash('sha256').update(`lockzero api key id\0${token}`).digest('hex');
    expect(apiKeyId(token)).toBe(`key_${hash.slice(0, 32)}`);
    expect(tokenHash(token)).toBe(createHash('sha256').update(token).digest('hex'));
    expect(tokenHash(token)).not.toContain(apiKeyId(token).slice(4));
  });

  it('is stored nowhere, nor in a row: only its hash', async () => {
    const { token } = await make();
    await login(token);
    const everything = JSON.stringify([
      [...vault.tables.entities.values()],
      rowsOf(vault, workspaceId),
      rowsOf(vault, workspaceId, 1),
    ]);
    expect(everything).not.toContain(token.slice(3));
    expect(everything).toContain(tokenHash(token));
  });
});

describe('authentication', () => {
  it('gives the rights of the key', async () => {
    const { id, token } = await make();
    expect(await login(token)).toEqual({
      type: 'api_key',
      id,
      workspaceId,
      role: 'operator',
      namespaces: ['prod'],
    });
  });

  it.each(['bearer ', 'BEARER ', 'Bearer    '])('takes the scheme as %p', async (scheme) => {
    expect(await login('', `${scheme}${ownerToken}`)).toMatchObject({ role: 'owner' });
  });

  it('costs one read by primary key', async () => {
    const calls: string[] = [];
    vault.tables.faults = async ({ name }) => {
      calls.push(name);
      return 'none';
    };
    await login(ownerToken);
    expect(calls).toEqual(['store.find']);
  });

  it('of no key, a malformed one and an unknown one is refused in the same words', async () => {
    const headers = [
      undefined,
      '',
      'Bearer',
      'Basic abc',
      `Bearer ${ownerToken} x`,
      `Bearer lz_${'a'.repeat(43)}`,
    ];
    const answers = await Promise.all(
      headers.map((header) => authenticate(vault, header, CALLER).catch((error: Error) => error.message)),
    );
    expect(new Set(answers).size).toBe(1);
  });

  it('reads nothing for what cannot be a token', async () => {
    const calls: string[] = [];
    vault.tables.faults = async ({ name }) => {
      calls.push(name);
      return 'none';
    };
    await expect(login('lz_short')).rejects.toMatchObject(unauthenticated);
    expect(calls.filter((name) => name.startsWith('store.'))).toEqual([]);
  });

  it('of an expired key is refused from that very millisecond on', async () => {
    const { token } = await make({ expiresAt: '2026-01-01T00:01:00.000Z' });
    vault.clock.advance(59_999);
    expect(await login(token)).toMatchObject({ role: 'operator' });
    vault.clock.advance(1);
    await expect(login(token)).rejects.toMatchObject(unauthenticated);
    expect(reasons()).toEqual(['expired']);
  });

  it('of a honeypot is answered like any invalid key, and told apart in the trail', async () => {
    const { id, token } = await make({ honeypot: true });
    const [decoy, unknown] = await Promise.all(
      [token, `lz_${'a'.repeat(43)}`].map((one) => login(one).catch((error: unknown) => error)),
    );
    expect(decoy).toMatchObject(unauthenticated);
    expect(String(decoy)).toBe(String(unknown));
    expect(rowsOf(vault, workspaceId, 1)).toMatchObject([
      { action: 'authentication.failed', entity: { type: 'api_key', id }, detail: { reason: 'honeypot' } },
    ]);
  });

  it('fails closed when the store does', async () => {
    vault.tables.faults = async ({ name }) => (name === 'store.find' ? 'before' : 'none');
    await expect(login(ownerToken)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('of a key whose hash was replaced in the table is refused', async () => {
    const { id, token } = await make();
    new Tamperer(vault.tables).editEntity('apiKey', id, { tokenHash: 'f'.repeat(64) });
    await expect(login(token)).rejects.toMatchObject(unauthenticated);
  });
});

describe('making a key', () => {
  it('shows the token once: a repeated request gets the same key without it', async () => {
    const context = { ...owner, idempotencyKey: 'once' };
    const first = await createApiKey(vault, context, INPUT);
    const again = await createApiKey(vault, context, INPUT);
    expect(isToken(first.token ?? '')).toBe(true);
    expect(again).toEqual({ apiKey: first.apiKey });
  });

  it('whose answer was lost, though it stood, still shows its token', async () => {
    loseAnswers();
    const { apiKey, token = '' } = await createApiKey(vault, { ...owner, idempotencyKey: 'once' }, INPUT);
    expect(await login(token)).toMatchObject({ id: apiKey.id });
  });

  it('that would be expired at once is refused', async () => {
    const at = (expiresAt: string) => createApiKey(vault, owner, { ...INPUT, expiresAt });
    await expect(at('2026-01-01T00:00:00.000Z')).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(at('2026-01-01T01:00:00+01:00')).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await at('2026-01-01T00:00:00.001Z')).apiKey.expiresAt).toBe('2026-01-01T00:00:00.001Z');
  });

  it('keeps the end of its life in UTC', async () => {
    const { apiKey } = await createApiKey(vault, owner, { ...INPUT, expiresAt: '2026-02-01T01:00:00+01:00' });
    expect(apiKey.expiresAt).toBe('2026-02-01T00:00:00.000Z');
  });

  it.each([
    ['a higher role', { role: 'admin' as const }, { role: 'owner' as const, namespaces: ['*'] }],
    [
      'more namespaces',
      { role: 'admin' as const, namespaces: ['prod'] },
      { role: 'viewer' as const, namespaces: ['*'] },
    ],
    [
      'any, for an operator',
      { role: 'operator' as const },
      { role: 'viewer' as const, namespaces: ['prod'] },
    ],
  ])('with %s is forbidden', async (_, rights, input) => {
    const caller = callerWith({ workspaceId, ...rights });
    await expect(createApiKey(vault, caller, { ...INPUT, ...input })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});

describe('revoking a key', () => {
  it('ends it with the next request, and keeps its record', async () => {
    const { id, token } = await make();
    await revokeApiKey(vault, owner, id);
    await expect(login(token)).rejects.toMatchObject(unauthenticated);
    expect(reasons()).toEqual(['revoked']);
    const { items } = await listApiKeys(vault, owner, { limit: 10 });
    expect(items.find(({ apiKey }) => apiKey.id === id)?.apiKey.revokedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it('is done once', async () => {
    const { id } = await make();
    await revokeApiKey(vault, owner, id);
    await expect(revokeApiKey(vault, owner, id)).rejects.toMatchObject({ code: 'already_revoked' });
    await expect(rotateApiKey(vault, owner, { id, overlapSeconds: 0 })).rejects.toMatchObject({
      code: 'already_revoked',
    });
  });

  it("is not for another workspace's, nor for one above the own role", async () => {
    const { id } = await make();
    const stranger = callerWith({ role: 'owner', workspaceId: 'ws_other' });
    await expect(revokeApiKey(vault, stranger, id)).rejects.toMatchObject({ code: 'not_found' });
    const admin = callerWith({ role: 'admin', workspaceId });
    await expect(revokeApiKey(vault, admin, owner.principal.id)).rejects.toMatchObject({ code: 'forbidden' });
    const limited = callerWith({ role: 'admin', workspaceId, namespaces: ['dev'] });
    await expect(revokeApiKey(vault, limited, id)).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('rotating a key', () => {
  const rotate = async (id: string, overlapSeconds: number, context = owner) => {
    const { apiKey, token = '' } = await rotateApiKey(vault, context, { id, overlapSeconds });
    return { apiKey, token };
  };
  const stored = (id: string) => new Tamperer(vault.tables).entity('apiKey', id).entity as ApiKey;

  it('gives a successor with the same rights, and lets the old one work on for a while', async () => {
    const { id, token } = await make();
    const rotated = await rotate(id, 60);
    expect(rotated.apiKey).toMatchObject({ role: 'operator', namespaces: ['prod'], rotatedFrom: id });
    expect(rotated.apiKey).not.toHaveProperty('expiresAt');
    expect(stored(id)).toMatchObject({
      expiresAt: '2026-01-01T00:01:00.000Z',
      rotatedTo: rotated.apiKey.id,
    });
    vault.clock.advance(59_999);
    expect(await login(token)).toMatchObject({ id });
    expect(await login(rotated.token)).toMatchObject({ id: rotated.apiKey.id, role: 'operator' });
    vault.clock.advance(1);
    await expect(login(token)).rejects.toMatchObject(unauthenticated);
    expect(await login(rotated.token)).toMatchObject({ role: 'operator' });
  });

  it('without an overlap ends the old one at once', async () => {
    const { id, token } = await make();
    await rotate(id, 0);
    await expect(login(token)).rejects.toMatchObject(unauthenticated);
  });

  it("never lengthens a life: the successor ends when the key would have, and so does the key's own", async () => {
    const { id } = await make({ expiresAt: '2026-01-01T00:00:30.000Z' });
    const rotated = await rotate(id, 3_600);
    expect(stored(id).expiresAt).toBe('2026-01-01T00:00:30.000Z');
    expect(rotated.apiKey.expiresAt).toBe('2026-01-01T00:00:30.000Z');
  });

  it("keeps the successor's end apart from the end of the overlap", async () => {
    const { id } = await make({ expiresAt: '2026-02-01T00:00:00.000Z' });
    const rotated = await rotate(id, 60);
    expect(stored(id).expiresAt).toBe('2026-01-01T00:01:00.000Z');
    expect(rotated.apiKey.expiresAt).toBe('2026-02-01T00:00:00.000Z');
  });

  it('is done once: a second time is refused with the name of the successor, and makes no key', async () => {
    const { id } = await make();
    const { apiKey, token } = await rotate(id, 60);
    const keys = vault.tables.entities.size;
    await expect(rotate(id, 60)).rejects.toMatchObject({
      code: 'already_rotated',
      message: expect.stringContaining(apiKey.id),
    });
    expect(vault.tables.entities.size).toBe(keys);
    // The overlap of the first is over: its successor works on, and can be rotated in turn.
    vault.clock.advance(61_000);
    expect(await login(token)).toMatchObject({ id: apiKey.id });
    expect(await rotate(apiKey.id, 0)).toMatchObject({ apiKey: { rotatedFrom: apiKey.id } });
  });

  it('of one that has expired is refused', async () => {
    const { id } = await make({ expiresAt: '2026-01-01T00:00:30.000Z' });
    vault.clock.advance(30_000);
    await expect(rotate(id, 60)).rejects.toMatchObject({ code: 'already_revoked' });
  });

  it('of two at once, one wins', async () => {
    const { id } = await make();
    const results = await Promise.allSettled([
      rotateApiKey(vault, owner, { id, overlapSeconds: 60 }),
      rotateApiKey(memoryVault(vault), owner, { id, overlapSeconds: 60 }),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('repeated with its Idempotency-Key gives the same successor without its token', async () => {
    const { id } = await make();
    const context = { ...owner, idempotencyKey: 'once' };
    const first = await rotate(id, 60, context);
    expect(isToken(first.token)).toBe(true);
    const again = await rotateApiKey(vault, context, { id, overlapSeconds: 60 });
    expect(again).toEqual({ apiKey: first.apiKey });
    await expect(rotate(id, 61, context)).rejects.toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('whose answer was lost, though it stood, still shows its token', async () => {
    const { id } = await make();
    loseAnswers();
    const { apiKey, token } = await rotate(id, 60, { ...owner, idempotencyKey: 'once' });
    expect(await login(token)).toMatchObject({ id: apiKey.id });
    expect(stored(id).rotatedTo).toBe(apiKey.id);
  });
});

describe('a key that ends', () => {
  const END = '2026-01-02T00:00:00.000Z';
  let caller: RequestContext;
  beforeEach(async () => {
    const { token } = await make({ role: 'admin', namespaces: ['*'], expiresAt: END });
    caller = { ...owner, principal: await login(token) };
  });

  it('makes none that outlives it', async () => {
    expect(caller.principal).toMatchObject({ expiresAt: END });
    for (const expiresAt of [undefined, '2026-01-02T00:00:00.001Z']) {
      await expect(createApiKey(vault, caller, { ...INPUT, expiresAt })).rejects.toMatchObject({
        code: 'forbidden',
      });
    }
    expect(await createApiKey(vault, caller, { ...INPUT, expiresAt: END })).toMatchObject({
      apiKey: { expiresAt: END },
    });
  });

  it('rotates none that outlives it', async () => {
    const { id } = await make();
    const rotation = (key: string) => rotateApiKey(vault, caller, { id: key, overlapSeconds: 0 });
    await expect(rotation(id)).rejects.toMatchObject({ code: 'forbidden' });
    const short = await make({ expiresAt: END });
    expect(await rotation(short.id)).toMatchObject({ apiKey: { expiresAt: END } });
  });

  it('does not come to a longer life by its own rotation', async () => {
    const rotated = await rotateApiKey(vault, caller, { id: caller.principal.id, overlapSeconds: 60 });
    expect(rotated.apiKey.expiresAt).toBe(END);
    const heir = { ...owner, principal: await login(rotated.token ?? '') };
    await expect(createApiKey(vault, heir, INPUT)).rejects.toMatchObject({ code: 'forbidden' });
  });
});

it('a list shows keys by their age, page by page, with their last use', async () => {
  const first = await addKey(vault, workspaceId, { role: 'viewer', createdAt: '2025-01-01T00:00:00.000Z' });
  await vault.bookkeeping.markKeyUsed(workspaceId, first.id, vault.clock.now());
  const page = await listApiKeys(vault, owner, { limit: 1 });
  expect(page.items).toMatchObject([{ apiKey: { id: first.id }, lastUsedAt: '2026-01-01T00:00:00.000Z' }]);
  const rest = await listApiKeys(vault, owner, { limit: 9, after: page.next ?? '' });
  expect(rest.items).toMatchObject([{ apiKey: { id: owner.principal.id }, lastUsedAt: undefined }]);
});

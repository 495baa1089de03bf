import { createHash } from 'node:crypto';
import type { RequestContext } from '../../../core/access/principal.ts';
import { apiKeyId, isToken, newToken, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { createApiKey, type NewApiKey } from '../../../core/identity/create-api-key.ts';
import { listApiKeys } from '../../../core/identity/list-api-keys.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { addKey } from '../../support/api-world.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, callerWith, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
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
const login = (token: string, header = `Bearer ${token}`) =>
  authenticate(vault, headerCredentials(header), CALLER);
const unauthenticated = { code: 'unauthenticated' };
/** The reasons for which strangers were refused, as this workspace's trail tells them. */
const reasons = (): (string | undefined)[] =>
  rowsOf(vault, workspaceId, 1).map(({ detail }) => detail['reason']);

async function make(input: Partial<NewApiKey> = {}): Promise<{ id: string; token: string }> {
  const { apiKey, token = '' } = await createApiKey(vault, owner, { ...INPUT, ...input });
  return { id: apiKey.id, token };
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
      headers.map((header) =>
        authenticate(vault, headerCredentials(header), CALLER).catch((error: Error) => error.message),
      ),
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

it('a list shows keys by their age, page by page, with their last use', async () => {
  const first = await addKey(vault, workspaceId, { role: 'viewer', createdAt: '2025-01-01T00:00:00.000Z' });
  await vault.bookkeeping.markKeyUsed(workspaceId, first.id, vault.clock.now());
  const page = await listApiKeys(vault, owner, { limit: 1 });
  expect(page.items).toMatchObject([{ apiKey: { id: first.id }, lastUsedAt: '2026-01-01T00:00:00.000Z' }]);
  const rest = await listApiKeys(vault, owner, { limit: 9, after: page.next ?? '' });
  expect(rest.items).toMatchObject([{ apiKey: { id: owner.principal.id }, lastUsedAt: undefined }]);
});

import type { RequestContext } from '../../../core/access/principal.ts';
import { type ApiKey, isToken } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { createApiKey, type NewApiKey } from '../../../core/identity/create-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { CALLER, installedVault, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let owner: RequestContext;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
});

const INPUT: NewApiKey = { name: 'ci', role: 'operator', namespaces: ['prod'] };
const login = (token: string) => authenticate(vault, headerCredentials(`Bearer ${token}`), CALLER);
const unauthenticated = { code: 'unauthenticated' };

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

describe('making a key', () => {
  it('whose answer was lost, though it stood, still shows its token', async () => {
    loseAnswers();
    const { apiKey, token = '' } = await createApiKey(vault, { ...owner, idempotencyKey: 'once' }, INPUT);
    expect(await login(token)).toMatchObject({ id: apiKey.id });
  });
});

import { apiKeyKind, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { createBootstrapKey } from '../../../core/secrets-sync/create-bootstrap-key.ts';
import { SYNC_SITE } from '../../support/memory-customer-secrets.ts';
import { CALLER, callerWith } from '../../support/memory-vault.ts';
import {
  copyOf,
  heldIn,
  rowsNamed,
  type SyncWorld,
  setSync,
  syncWorld,
  wholeNameIn,
} from '../../support/sync-world.ts';

const input = { name: 'ci', role: 'operator', namespaces: ['prod'] } as const;
let world: SyncWorld;
beforeEach(async () => {
  world = await syncWorld();
  await setSync(world);
});

const make = (headers: { readonly idempotencyKey?: string } = {}) =>
  createBootstrapKey(world.vault, { ...world.owner, ...headers }, input);
const keyIds = () =>
  [...world.vault.tables.entities.values()]
    .map(({ entity }) => entity)
    .filter(({ kind, id }) => kind === apiKeyKind.name && id !== undefined).length;

it('lies in the account of the customer, and in no answer', async () => {
  const { apiKey, stored, ...rest } = await make();
  expect(rest).toEqual({});
  expect(stored).toEqual({
    accountId: '111122223333',
    region: 'us-east-1',
    name: wholeNameIn(world, 'bootstrap/ci'),
  });
  const token = copyOf(world, 'bootstrap/ci') ?? '';
  expect(tokenHash(token)).toBe(apiKey.tokenHash);
  expect(await authenticate(world.vault, { type: 'bearer', token }, CALLER)).toMatchObject({ id: apiKey.id });
  expect(rowsNamed(world, 'api_key.created')).toContain(`success ${apiKey.id}`);
});

it('lies in the account of the vault where no sync leads elsewhere', async () => {
  world = await syncWorld();
  const { stored } = await make();
  expect(stored.accountId).toBe(SYNC_SITE.accountId);
  expect(copyOf(world, 'bootstrap/ci', `${SYNC_SITE.accountId} us-east-1`)).toMatch(/^lz_/);
});

it('is no key if its token could not be written', async () => {
  const before = keyIds();
  world.vault.customerSecrets.refuse = (call) => (call === 'create' ? 'access_denied' : undefined);
  await expect(make()).rejects.toMatchObject({ code: 'receiver_refused' });
  expect(keyIds()).toBe(before);
  expect(world.vault.customerSecrets.openSessions).toBe(0);
});

it('is made by the same request once more after a crash left a token that is no key', async () => {
  world.vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
  await expect(make({ idempotencyKey: 'once' })).rejects.toMatchObject({ code: 'unavailable' });
  world.vault.tables.faults = async () => 'none';
  const left = copyOf(world, 'bootstrap/ci');
  expect(left).toMatch(/^lz_/);
  const { apiKey } = await make({ idempotencyKey: 'once' });
  const token = copyOf(world, 'bootstrap/ci') ?? '';
  expect(tokenHash(token)).toBe(apiKey.tokenHash);
  expect(heldIn(world, 'bootstrap/ci')?.owner?.subjectId).toBe(apiKey.id);
  // Repeated after all, it makes no second one, and leaves the token as it is.
  expect((await make({ idempotencyKey: 'once' })).apiKey.id).toBe(apiKey.id);
  expect(copyOf(world, 'bootstrap/ci')).toBe(token);
});

it('is refused before anything is written if it would have expired already', async () => {
  const { vault, owner } = world;
  const over = { ...input, expiresAt: new Date(vault.clock.now()).toISOString() };
  const before = vault.customerSecrets.calls.length;
  await expect(createBootstrapKey(vault, owner, over)).rejects.toMatchObject({ code: 'invalid_request' });
  expect(vault.customerSecrets.calls.slice(before)).toEqual([]);
});

it('never replaces the token of a key that works', async () => {
  const first = await make();
  const token = copyOf(world, 'bootstrap/ci');
  await expect(make()).rejects.toMatchObject({ code: 'name_taken' });
  expect(copyOf(world, 'bootstrap/ci')).toBe(token);
  await revokeApiKey(world.vault, world.owner, first.apiKey.id);
  const second = await make();
  expect(tokenHash(copyOf(world, 'bootstrap/ci') ?? '')).toBe(second.apiKey.tokenHash);
});

it('never replaces what the vault did not make', async () => {
  world.vault.customerSecrets.secretsOf('111122223333 us-east-1').set(wholeNameIn(world, 'bootstrap/ci'), {
    owner: undefined,
    isDeleted: false,
    current: 'x',
    versions: new Map([['x', 'theirs']]),
  });
  await expect(make()).rejects.toMatchObject({ code: 'name_taken' });
  expect(copyOf(world, 'bootstrap/ci')).toBe('theirs');
});

it('of two requests at once is one key', async () => {
  const before = keyIds();
  const outcomes = await Promise.allSettled([make(), make()]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(keyIds()).toBe(before + 1);
});

it('is for people who may set a sync, and for plans that have it', async () => {
  const { vault, workspaceId } = world;
  const key = callerWith({ workspaceId, role: 'owner' });
  await expect(createBootstrapKey(vault, key, input)).rejects.toMatchObject({ code: 'forbidden' });
  const standard = { ...vault, defaultPlan: 'standard' } as const;
  await expect(createBootstrapKey(standard, world.owner, input)).rejects.toMatchObject({
    code: 'not_in_plan',
  });
});

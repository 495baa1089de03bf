import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { type IdempotencyRecord, idempotencyKind } from '../../../core/idempotency/once.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { createSecret, type NewSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { rollbackSecret } from '../../../core/secrets/rollback-secret.ts';
import { type Secret, secretKind } from '../../../core/secrets/secret.ts';
import {
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';

let vault: MemoryVault;
let owner: RequestContext;
let context: RequestContext;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  context = { ...owner, idempotencyKey: 'a client key' };
});

const INPUT: NewSecret = { namespace: 'prod', name: 'db', value: 'v1', tags: ['a'] };
const create = (by = context, input = INPUT, at = vault): Promise<Secret> => createSecret(at, by, input);
const stored = <T>(kind: string): T[] =>
  [...vault.tables.entities.values()].flatMap(({ entity }) => (entity.kind === kind ? [entity as T] : []));
const ofAction = (action: string) =>
  rowsOf(vault, owner.principal.workspaceId).filter((row) => row.action === action);
const reused = { code: 'idempotency_key_reused' };

it('the same request again gives the same thing, makes nothing, and is recorded', async () => {
  const first = await create();
  expect(await create()).toEqual(first);
  expect(stored('secret')).toHaveLength(1);
  expect(ofAction('secret.created').map(({ detail }) => detail)).toEqual([{}, { replayed: 'true' }]);
});

it('the order of fields and fields that are undefined make no other request', async () => {
  const first = await create();
  const { namespace, name, value, tags } = INPUT;
  const again = await create(context, { tags, value, name, namespace, description: undefined });
  expect(again).toEqual(first);
});

it.each<[string, Partial<NewSecret>]>([
  ['another value', { value: 'v2' }],
  ['another name', { name: 'db2' }],
  ['one field more', { isCUI: false }],
  ['another order in a list', { tags: [] }],
])('the same key with %s is refused, and nothing is done', async (_, other) => {
  await create();
  await expect(create(context, { ...INPUT, ...other })).rejects.toMatchObject(reused);
  expect(stored('secret')).toHaveLength(1);
});

it('the same key on another route, or of another principal, is another request', async () => {
  await create();
  await createNamespace(vault, context, { name: 'other' });
  const { workspaceId } = owner.principal;
  await create({ ...callerWith({ workspaceId }), idempotencyKey: 'a client key' }, { ...INPUT, name: 'db2' });
  expect(stored('secret')).toHaveLength(2);
  expect(stored('idempotency')).toHaveLength(3);
});

it('without a key each request is a request of its own', async () => {
  await create(owner);
  await expect(create(owner)).rejects.toMatchObject({ code: 'name_taken' });
  expect(stored('idempotency')).toEqual([]);
});

it('a request that was refused is not remembered: it may be repeated with other input', async () => {
  await create(owner);
  await expect(create()).rejects.toMatchObject({ code: 'name_taken' });
  expect(await create(context, { ...INPUT, name: 'free' })).toMatchObject({ name: 'free' });
});

it('the record keeps neither the value nor anything that tells it without the key', async () => {
  await create(context, { ...INPUT, value: 'hunter2' });
  const [record] = stored<IdempotencyRecord>('idempotency');
  expect(JSON.stringify(record)).not.toContain('hunter2');
  expect(record).toMatchObject({ inputHmac: expect.stringMatching(/^[0-9a-f]{64}$/), hmacKeyId: '1' });
});

it('a record whose key was rotated away refuses rather than guesses', async () => {
  await create();
  const other = { ...vault, derivedKeys: { ...vault.derivedKeys, byId: async () => undefined } };
  await expect(createSecret(other, context, INPUT)).rejects.toMatchObject(reused);
});

describe('a record lives for a day', () => {
  it('to its last millisecond', async () => {
    const first = await create();
    vault.clock.advance(DAY_MS - 1);
    expect(await create()).toEqual(first);
  });

  it('and then the key is free, though the table has not forgotten the record yet', async () => {
    await create();
    vault.clock.advance(DAY_MS);
    expect(await create(context, { ...INPUT, name: 'db2' })).toMatchObject({ name: 'db2' });
    const [record] = stored<IdempotencyRecord>('idempotency');
    expect(record).toMatchObject({ revision: 2, expiresAt: vault.clock.now() + DAY_MS });
    const { workspaceId } = owner.principal;
    expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
    const expiry = idempotencyKind.expiry?.(record as IdempotencyRecord);
    expect(expiry).toBe(record?.expiresAt);
  });
});

describe('two equal requests at once', () => {
  it.each(['one process', 'two processes'])('in %s have one effect and one answer', async (where) => {
    const other = where === 'one process' ? vault : memoryVault(vault);
    const [one, two] = await Promise.all([create(), create(context, INPUT, other)]);
    expect(one).toEqual(two);
    expect(stored('secret')).toHaveLength(1);
    expect(stored('secretVersion')).toHaveLength(1);
  });

  it('but for their body: one is carried out, the other refused', async () => {
    const results = await Promise.allSettled([create(), create(context, { ...INPUT, name: 'db2' })]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: reused });
    expect(stored('secret')).toHaveLength(1);
  });
});

it('wherever the answer is lost, before or after the effect, the repeated request has one effect', async () => {
  for (const fault of ['before', 'after'] as const) {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      ({ vault, owner } = await installedVault());
      context = { ...owner, idempotencyKey: 'k' };
      calls = 0;
      vault.tables.faults = async () => {
        calls += 1;
        return calls === at ? fault : 'none';
      };
      await create().catch(() => undefined);
      vault.tables.faults = async () => 'none';
      await create(context, INPUT, memoryVault(vault));
      expect({ fault, at, secrets: stored('secret').length }).toEqual({ fault, at, secrets: 1 });
      expect(ofAction('secret.created').filter(({ changes }) => changes.length > 0)).toHaveLength(1);
    }
  }
});

it('an effect whose every answer was lost is found by the request itself', async () => {
  await createNamespace(vault, owner, { name: 'prod' });
  // The append takes effect, and from then on each of its answers is lost.
  vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'after' : 'none');
  await create().catch(() => undefined);
  vault.tables.faults = async () => 'none';
  expect(stored('secret')).toHaveLength(1);
  expect((await create()).id).toBe(stored<Secret>('secret')[0]?.id);
});

it('a rollback is done once, and a replay shows the secret as it is now', async () => {
  const { id } = await create(owner);
  await rollbackSecret(vault, context, { id, version: 1 });
  const again = await rollbackSecret(vault, context, { id, version: 1 });
  expect(again.currentVersion).toBe(2);
  await expect(rollbackSecret(vault, context, { id, version: 2 })).rejects.toMatchObject(reused);
});

it('a replay after the thing was deleted shows it as deleted, and what was revoked meanwhile stays refused', async () => {
  const { id } = await create();
  await deleteSecret(vault, owner, id);
  expect(await create()).toMatchObject({ id, deletedAt: '2026-01-01T00:00:00.000Z' });
  const { id: keyId, workspaceId } = owner.principal;
  const viewer = {
    ...callerWith({ workspaceId, role: 'viewer', id: keyId }),
    idempotencyKey: 'a client key',
  };
  await expect(create(viewer)).rejects.toMatchObject({ code: 'forbidden' });
  expect(await vault.store.get(secretKind, workspaceId, id)).toBeDefined();
});

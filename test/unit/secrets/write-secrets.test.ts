import type { Precondition, RequestContext } from '../../../core/access/principal.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { createSecret, type NewSecret } from '../../../core/secrets/create-secret.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { listVersions } from '../../../core/secrets/list-versions.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { rollbackSecret } from '../../../core/secrets/rollback-secret.ts';
import { updateSecret } from '../../../core/secrets/update-secret.ts';
import { newWorkspace } from '../../../core/workspaces/workspace.ts';
import {
  callerWith,
  installedVault,
  type MemoryVault,
  memoryVault,
  rowsOf,
} from '../../support/memory-vault.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
});

const make = (input: Partial<NewSecret> = {}, by = owner, at = vault) =>
  createSecret(at, by, { namespace: 'prod', name: 'db', value: 'v1', ...input });
const given = (precondition: Precondition): RequestContext => ({ ...owner, precondition });
const reveal = async (id: string, version?: number) =>
  (await revealSecret(vault, owner, { id, version })).value;
const rows = () => rowsOf(vault, workspaceId);
const stale = { code: 'precondition_failed' };

afterEach(async () => {
  vault.tables.faults = async () => 'none';
  expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true, breaks: [] });
});

describe('making a secret', () => {
  it('stores its metadata and its first version, apart', async () => {
    const secret = await make({ description: 'd', tags: ['a'], isCUI: true });
    expect(secret).toMatchObject({
      namespace: 'prod',
      name: 'db',
      description: 'd',
      tags: ['a'],
      isCUI: true,
      currentVersion: 1,
      revision: 1,
      createdBy: owner.principal.id,
    });
    expect(secret.id).toMatch(/^sec_[0-9a-f]{32}$/);
    expect(await reveal(secret.id)).toBe('v1');
    expect(JSON.stringify([...vault.tables.entities.values()])).not.toContain('"v1"');
  });

  it('needs a name that is free in its namespace, and in no other', async () => {
    await make();
    await make({ namespace: 'dev' });
    await expect(make()).rejects.toMatchObject({ code: 'name_taken' });
    const creation = given({ ifNoneMatch: '*' });
    await expect(make({}, creation)).rejects.toMatchObject(stale);
    await expect(make({ name: 'new' }, given({ ifMatch: '*' }))).rejects.toMatchObject(stale);
    expect(await make({ name: 'new' }, creation)).toMatchObject({ revision: 1 });
  });

  it('of two at once with one name is done once', async () => {
    const results = await Promise.allSettled([make(), make({}, owner, memoryVault(vault))]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'name_taken' },
    });
  });

  it('is for operators, in namespaces that they have', async () => {
    await expect(make({}, callerWith({ workspaceId, role: 'viewer' }))).rejects.toMatchObject({
      code: 'forbidden',
    });
    const limited = callerWith({ workspaceId, namespaces: ['dev'] });
    await expect(make({}, limited)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await make({ namespace: 'dev' }, limited)).toMatchObject({ namespace: 'dev' });
  });

  it('without a key from the key service stores nothing', async () => {
    const keys = Object.assign(Object.create(vault.keys) as MemoryVault['keys'], {
      generateDataKey: async () => Promise.reject(new Error('no key')),
    });
    const before = vault.tables.entities.size;
    await expect(
      createSecret({ ...vault, keys }, owner, { namespace: 'p', name: 'n', value: 'v' }),
    ).rejects.toThrow();
    expect(vault.tables.entities.size).toBe(before);
  });
});

describe('changing metadata', () => {
  it('leaves what is not named, and removes a description that is null', async () => {
    const { id } = await make({ description: 'd', tags: ['a'] });
    expect(await updateSecret(vault, owner, id, { isCUI: true })).toMatchObject({
      description: 'd',
      tags: ['a'],
      isCUI: true,
      revision: 2,
    });
    expect(await updateSecret(vault, owner, id, { description: null, tags: [] })).not.toHaveProperty(
      'description',
    );
    expect(rows().at(-1)).toMatchObject({ action: 'secret.updated', detail: { fields: 'description,tags' } });
    expect(await getSecret(vault, owner, id)).toMatchObject({ tags: [], currentVersion: 1 });
  });
});

describe('writing a value', () => {
  it('adds a version, which becomes the current one; earlier ones stay', async () => {
    const { id } = await make();
    vault.clock.advance(1_000);
    expect(await putValue(vault, owner, id, 'v2')).toMatchObject({
      currentVersion: 2,
      revision: 2,
      valueUpdatedAt: '2026-01-01T00:00:01.000Z',
    });
    expect([await reveal(id), await reveal(id, 1)]).toEqual(['v2', 'v1']);
  });

  it('counts versions by writes, not by revisions', async () => {
    const { id } = await make();
    await updateSecret(vault, owner, id, { isCUI: true });
    expect(await putValue(vault, owner, id, 'v2')).toMatchObject({ currentVersion: 2, revision: 3 });
  });

  it('of two at once is lost by one, who hears of it', async () => {
    const { id } = await make();
    const results = await Promise.allSettled([
      putValue(vault, owner, id, 'mine'),
      putValue(memoryVault(vault), owner, id, 'theirs'),
    ]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'concurrent_change' },
    });
    expect(await getSecret(vault, owner, id)).toMatchObject({ currentVersion: 2 });
  });

  it('lists its versions newest first, by pages', async () => {
    const { id } = await make();
    for (let version = 2; version <= 12; version += 1) await putValue(vault, owner, id, `v${version}`);
    const first = await listVersions(vault, owner, { id, limit: 5 });
    expect(first.page.items.map(({ version }) => version)).toEqual([12, 11, 10, 9, 8]);
    const rest = await listVersions(vault, owner, { id, limit: 50, after: first.page.next ?? '' });
    expect(rest.page.items.map(({ version }) => version)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });
});

describe('rolling back', () => {
  it('makes an old value current as a new version, with a row before the decryption and one after', async () => {
    const { id } = await make();
    await putValue(vault, owner, id, 'v2');
    expect(await rollbackSecret(vault, owner, { id, version: 1 })).toMatchObject({ currentVersion: 3 });
    expect([await reveal(id), await reveal(id, 2), await reveal(id, 3)]).toEqual(['v1', 'v2', 'v1']);
    const told = rows().filter(({ action }) => action.startsWith('secret.roll'));
    expect(told).toMatchObject([
      { action: 'secret.rollback_requested', detail: { version: '1' } },
      { action: 'secret.rolled_back', detail: { version: '3', from: '1' } },
    ]);
  });

  it('seals the old value under a key of its own', async () => {
    const { id } = await make();
    await rollbackSecret(vault, owner, { id, version: 1 });
    const versions = [...vault.tables.entities.values()].filter(
      ({ entity }) => entity.kind === 'secretVersion',
    );
    const keys = versions.map(({ entity }) =>
      String((entity as unknown as { wrappedKey: Uint8Array }).wrappedKey),
    );
    expect(new Set(keys).size).toBe(2);
  });

  it('to a version that never was, or with a stale ETag, decrypts nothing', async () => {
    const { id } = await make();
    await expect(rollbackSecret(vault, owner, { id, version: 2 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(rollbackSecret(vault, given({ ifMatch: [7] }), { id, version: 1 })).rejects.toMatchObject(
      stale,
    );
    expect(vault.keys.calls).not.toContain('decrypt');
  });
});

describe('preconditions', () => {
  const writes: [string, (context: RequestContext, id: string) => Promise<unknown>][] = [
    ['metadata', (context, id) => updateSecret(vault, context, id, { isCUI: true })],
    ['the value', (context, id) => putValue(vault, context, id, 'v2')],
    ['a deletion', (context, id) => deleteSecret(vault, context, id)],
    ['a rollback', (context, id) => rollbackSecret(vault, context, { id, version: 1 })],
  ];

  it.each(writes)('of %s hold for the current revision alone', async (_, write) => {
    const { id } = await make();
    await expect(write(given({ ifMatch: [2] }), id)).rejects.toMatchObject(stale);
    await expect(write(given({ ifMatch: [] }), id)).rejects.toMatchObject(stale);
    await expect(write(given({ ifNoneMatch: '*' }), id)).rejects.toMatchObject(stale);
    expect(await getSecret(vault, owner, id)).toMatchObject({ revision: 1 });
    await write(given({ ifMatch: [2, 1] }), id);
    await expect(write(given({ ifMatch: [1] }), id)).rejects.toMatchObject({
      code: expect.stringMatching(/^(precondition_failed|secret_deleted)$/),
    });
  });
});

it("another workspace's secret is as absent as any, for every way to touch it", async () => {
  const { id } = await make();
  const foreign = callerWith({ workspaceId: 'ws_other', role: 'owner' });
  await vault.trail.commit(systemOrigin('ws_other', 'test'), [
    {
      action: 'workspace.created',
      entity: { type: 'workspace', id: 'ws_other' },
      result: 'success',
      changes: [newWorkspace('ws_other', 'Another', '2026-01-01T00:00:00.000Z')],
    },
  ]);
  const touches = [
    getSecret(vault, foreign, id),
    updateSecret(vault, foreign, id, { isCUI: true }),
    putValue(vault, foreign, id, 'x'),
    listVersions(vault, foreign, { id, limit: 1 }),
    rollbackSecret(vault, foreign, { id, version: 1 }),
    deleteSecret(vault, foreign, id),
  ];
  const answers = await Promise.all(touches.map((touch) => touch.catch((error: Error) => error.message)));
  const absent = await getSecret(vault, owner, 'sec_none').catch((error: Error) => error.message);
  expect(new Set(answers)).toEqual(new Set([absent]));
});

import type { RequestContext } from '../../../core/access/principal.ts';
import { buildRows } from '../../../core/audit/build-rows.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { decodeRow, GENESIS_HASH } from '../../../core/audit/row.ts';
import { verifyAudit } from '../../../core/audit/verify-audit.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { apiKeyId, apiKeyKind, newToken, tokenHash } from '../../../core/identity/api-key.ts';
import { authenticate } from '../../../core/identity/authenticate.ts';
import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { create } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import { entityKey } from '../../support/memory-store.ts';
import { CALLER, installedVault, type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';
import { brokenWorkspaces, verified } from '../../support/verified.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let tamperer: Tamperer;
let secretId: string;
/** After set-up: 4 namespace and 5 secret made. One stranger came to the platform. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  tamperer = new Tamperer(vault.tables);
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  await authenticate(vault, headerCredentials(), CALLER).catch(() => undefined);
});

const broken = () => brokenWorkspaces(vault);

it('an honest deployment verifies, and each workspace gets a row that says so', async () => {
  const results = await verified(vault);
  expect(results.map(({ ok, workspaceId: id, rows }) => [id, ok, rows])).toEqual([
    [PLATFORM_WORKSPACE, true, 2],
    [workspaceId, true, 5],
  ]);
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
    action: 'audit.verified',
    actor: { type: 'system', id: 'verifier' },
    result: 'success',
    detail: {
      rows: '5',
      entities: '8',
      headSeq: '5',
      headHash: vault.tables.lane({ workspaceId, lane: 0 })[4]?.hash,
    },
  });
});

it('a second run verifies the row of the first', async () => {
  await verified(vault);
  const results = await verified(vault);
  expect(results.map(({ ok, workspaceId: id, rows }) => [id, ok, rows])).toEqual([
    // Besides the two: the first verification, and the workspace registered.
    [PLATFORM_WORKSPACE, true, 4],
    [workspaceId, true, 6],
  ]);
});

describe('the platform', () => {
  it('where nothing ever happened gets no row', async () => {
    const empty = memoryVault();
    expect(await verified(empty)).toMatchObject([{ workspaceId: PLATFORM_WORKSPACE, ok: true, rows: 0 }]);
    expect(rowsOf(empty, PLATFORM_WORKSPACE)).toEqual([]);
  });

  it('registers each workspace once', async () => {
    const fresh = (await installedVault()).vault;
    const other = await addWorkspace(fresh);
    for (const _ of [1, 2, 3]) await verified(fresh);
    const registered = rowsOf(fresh, PLATFORM_WORKSPACE).filter(
      ({ action }) => action === 'workspace.registered',
    );
    expect(registered).toHaveLength(2);
    expect(registered.map(({ entity }) => entity.id)).toContain(other);
    expect(registered.every(({ actor }) => actor.type === 'system' && actor.id === 'verifier')).toBe(true);
  });

  it('registers no workspace that only a forged entity names', async () => {
    const { entity, row } = tamperer.entity('secret', secretId);
    tamperer.putEntity({ ...entity, workspaceId: 'ws_forged' }, row);
    expect(await broken()).toHaveProperty('ws_forged');
    // Nothing is missed once the forgery was cleared away.
    vault.tables.entities.delete(entityKey({ ...entity, workspaceId: 'ws_forged' }));
    expect(await broken()).toEqual({});
  });
});

describe('finds', () => {
  it('a forged key that names the row of another one', async () => {
    const { entity, row } = tamperer.entity('apiKey', owner.principal.id);
    const id = `key_${'0'.repeat(32)}`;
    tamperer.putEntity({ ...entity, id }, row);
    expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
    expect(await broken()).toEqual({
      [workspaceId]: [{ lane: 0, seq: 3, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } }],
    });
  });

  it("a forged owner's key with a row of its own, in a lane that nobody walks", async () => {
    const token = newToken(vault.random);
    const forged = create(apiKeyKind, {
      workspaceId,
      id: apiKeyId(token),
      name: 'forged',
      role: 'owner',
      namespaces: ['*'],
      tokenHash: tokenHash(token),
      honeypot: false,
      createdAt: timestamp(vault.clock.now()),
      createdBy: 'setup',
    });
    const { id } = forged.entity;
    const [row] = buildRows(
      { seq: 0, hash: GENESIS_HASH, time: 0 },
      { ...systemOrigin(workspaceId), lane: 7 },
      [{ action: 'api_key.created', entity: { type: 'api_key', id }, result: 'success', changes: [forged] }],
      vault.clock.now(),
      vault.random,
    ).rows;
    if (row === undefined) throw new Error('One event has one row.');
    tamperer.putRow(row);
    tamperer.putEntity(forged.entity, { lane: 7, seq: 1 });
    expect(await authenticate(vault, headerCredentials(`Bearer ${token}`), CALLER)).toMatchObject({
      role: 'owner',
    });
    expect(await broken()).toEqual({
      [workspaceId]: [{ lane: 7, seq: 1, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } }],
    });
  });

  it('an entity that names a row which is not there', async () => {
    const { entity } = tamperer.entity('secret', secretId);
    tamperer.putEntity({ ...entity, id: 'sec_forged' }, { lane: 1, seq: 99 });
    expect(await broken()).toEqual({
      [workspaceId]: [
        { lane: 1, seq: 99, reason: 'entity_unexplained', entity: { kind: 'secret', id: 'sec_forged' } },
      ],
    });
  });

  it('an edited entity, once, though it shows from both sides', async () => {
    tamperer.editEntity('secret', secretId, { isCUI: true });
    expect(await broken()).toEqual({
      [workspaceId]: [
        { lane: 0, seq: 5, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } },
      ],
    });
  });

  it('an entity put back to an earlier state', async () => {
    const { entity, row } = tamperer.entity('secret', secretId);
    await putValue(vault, owner, secretId, 'v2');
    tamperer.putEntity(entity, row);
    expect(await broken()).toMatchObject({ [workspaceId]: [{ seq: 6, reason: 'entity_altered' }] });
  });

  it('an entity of a kind that the vault does not know', async () => {
    tamperer.putEntity({ kind: 'session', workspaceId, id: 's', revision: 1 }, { lane: 0, seq: 1 });
    expect(await broken()).toMatchObject({
      [workspaceId]: [{ reason: 'entity_unexplained', entity: { kind: 'session', id: 's' } }],
    });
  });

  it('an entity of a workspace that never was', async () => {
    const { entity, row } = tamperer.entity('apiKey', owner.principal.id);
    tamperer.putEntity({ ...entity, workspaceId: 'ws_forged' }, row);
    expect(await broken()).toMatchObject({ ws_forged: [{ reason: 'entity_unexplained' }] });
  });

  it('an edited row of the platform, and says so in its trail', async () => {
    tamperer.putRow({
      ...tamperer.row({ workspaceId: PLATFORM_WORKSPACE, lane: 1 }, 1),
      nonce: '0'.repeat(32),
    });
    expect(await broken()).toEqual({
      [PLATFORM_WORKSPACE]: [{ lane: 1, seq: 1, reason: 'nonce_mismatch' }],
    });
    const verdict = rowsOf(vault, PLATFORM_WORKSPACE).findLast(({ action }) => action === 'audit.verified');
    expect(verdict).toMatchObject({
      result: 'failure',
      detail: { breaks: '1', lane: '1', seq: '1', reason: 'nonce_mismatch' },
    });
  });
});

describe('cannot be kept from its work by', () => {
  it('an entity with a name too long for a row', async () => {
    const { entity, row } = tamperer.entity('secret', secretId);
    tamperer.putEntity({ ...entity, id: 'x'.repeat(600) }, row);
    expect(await broken()).toMatchObject({ [workspaceId]: [{ reason: 'entity_unexplained' }] });
  });

  it('an entity that names no workspace', async () => {
    const { entity, row } = tamperer.entity('secret', secretId);
    tamperer.putEntity({ ...entity, workspaceId: '' }, row);
    expect(Object.values(await broken())).toMatchObject([[{ reason: 'entity_unexplained' }]]);
  });

  it('a workspace that was removed', async () => {
    tamperer.removeEntity('workspace', workspaceId);
    tamperer.putRow({ ...tamperer.row({ workspaceId, lane: 0 }, 4), nonce: '0'.repeat(32) });
    expect(await broken()).toMatchObject({
      [workspaceId]: [
        { seq: 4, reason: 'nonce_mismatch' },
        { seq: 1, reason: 'entity_missing', entity: { kind: 'workspace', id: workspaceId } },
      ],
    });
  });

  it('a workspace whose content fits no schema', async () => {
    tamperer.editEntity('workspace', workspaceId, { forged: true });
    expect(await broken()).toMatchObject({ [workspaceId]: [{ reason: 'entity_altered' }] });
  });
});

describe('on demand', () => {
  it('checks everything and records the outcome', async () => {
    expect(await verifyAudit(vault, owner, {})).toMatchObject({ ok: true, rows: 5, entities: 8 });
    const [row] = vault.tables.lane({ workspaceId, lane: 0 }).slice(-1);
    expect(row && decodeRow(row.bytes)).toMatchObject({
      actor: { type: 'api_key', id: owner.principal.id },
      action: 'audit.verified',
    });
  });

  it('names the first broken entity in the row', async () => {
    const { apiKey } = await createApiKey(vault, owner, { name: 'ci', role: 'viewer', namespaces: ['*'] });
    tamperer.editEntity('apiKey', apiKey.id, { role: 'owner' });
    expect(await verifyAudit(vault, owner, {})).toMatchObject({ ok: false });
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
      result: 'failure',
      detail: { breaks: '1', reason: 'entity_altered', brokenEntity: `apiKey/${apiKey.id}` },
    });
  });
});

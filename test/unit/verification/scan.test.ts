import type { RequestContext } from '../../../core/access/principal.ts';
import { buildRows } from '../../../core/audit/build-rows.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { GENESIS_HASH } from '../../../core/audit/row.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { sampleApiKey } from '../../support/samples.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

let world: VerificationWorld;
let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let secretId: string;
beforeEach(async () => {
  ({ world, vault, owner, workspaceId } = await verificationWorld());
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  await world.seal();
});

/** The breaks that the scan of the next day finds. */
async function scan() {
  await world.nextDay();
  const results = await world.job();
  const found = results.find(({ kind }) => kind === 'entities');
  if (found?.findings === undefined) throw found?.error ?? new Error('There was no scan.');
  return found.findings.breaks;
}

describe('the scan of the deployment finds', () => {
  it('nothing in an honest one, whatever the size of a slice', async () => {
    await world.job(3);
    expect(await scan()).toEqual([]);
    expect(rowsOf(vault, PLATFORM_WORKSPACE).at(-1)).toMatchObject({ action: 'audit.verified' });
  });

  it('a key slipped in that names the row of another, and tells its workspace', async () => {
    const { entity, row } = world.tamperer.entity('apiKey', owner.principal.id);
    const id = `key_${'0'.repeat(32)}`;
    world.tamperer.putEntity({ ...entity, id }, row);
    expect(await scan()).toEqual([
      { lane: 0, seq: 3, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } },
    ]);
    expect(world.alerts).toContainEqual({
      tier: 'critical',
      kind: 'audit_break',
      workspaceId,
      subject: 'row 0-3',
      detail: { reason: 'entity_unexplained', breaks: '1', entity: `apiKey/${id}`, verification: 'entities' },
    });
    const told = rowsOf(vault, workspaceId).filter(({ action }) => action === 'audit.verified');
    expect(told).toContainEqual(
      expect.objectContaining({
        result: 'failure',
        detail: expect.objectContaining({ kind: 'entities', reason: 'entity_unexplained' }),
      }),
    );
  });

  it('a key with a row of its own in a lane that nobody walks', async () => {
    const forged = sampleApiKey(workspaceId, `key_${'1'.repeat(32)}`);
    const { id } = forged.entity;
    const [row] = buildRows(
      { seq: 0, hash: GENESIS_HASH, time: 0 },
      { ...systemOrigin(workspaceId), lane: 7 },
      [{ action: 'api_key.created', entity: { type: 'api_key', id }, result: 'success', changes: [forged] }],
      vault.clock.now(),
      vault.random,
    ).rows;
    if (row === undefined) throw new Error('One event has one row.');
    world.tamperer.putRow(row);
    world.tamperer.putEntity(forged.entity, { lane: 7, seq: 1 });
    expect(await scan()).toEqual([
      { lane: 7, seq: 1, reason: 'entity_unexplained', entity: { kind: 'apiKey', id } },
    ]);
  });

  it.each([
    ['edited', () => world.tamperer.editEntity('secret', secretId, { isCUI: true })],
    ['that fits no schema', () => world.tamperer.editEntity('secret', secretId, { role: 'owner' })],
    [
      'that names a row which is not there',
      () => world.tamperer.putEntity(world.tamperer.entity('secret', secretId).entity, { lane: 0, seq: 99 }),
    ],
  ])('an entity %s', async (_, tamper) => {
    tamper();
    expect(await scan()).toMatchObject([{ entity: { kind: 'secret', id: secretId } }]);
  });

  it.each(['ws_forged', ''])('an entity of a workspace that never was: "%s"', async (forged) => {
    const { entity, row } = world.tamperer.entity('secret', secretId);
    world.tamperer.putEntity({ ...entity, workspaceId: forged, id: 'x'.repeat(600) }, row);
    expect(await scan()).toMatchObject([{ reason: 'entity_unexplained' }]);
    expect(world.alerts).toMatchObject([{ kind: 'audit_break', workspaceId: PLATFORM_WORKSPACE }]);
    expect([...vault.verifications.states.keys()]).not.toContain('ws_forged');
  });

  it('an entity of a kind that the vault does not know', async () => {
    const odd = { kind: 'unheardOf', workspaceId, id: 's', revision: 1 };
    world.tamperer.putEntity(odd, { lane: 0, seq: 1 });
    expect(await scan()).toMatchObject([{ entity: { kind: 'unheardOf', id: 's' } }]);
  });
});

describe('a workspace', () => {
  it('is registered once, when it is first seen', async () => {
    const other = await addWorkspace(vault);
    for (const _day of [1, 2, 3]) await scan();
    const registered = rowsOf(vault, PLATFORM_WORKSPACE)
      .filter(({ action }) => action === 'workspace.registered')
      .map(({ entity }) => entity.id);
    expect(registered.sort()).toEqual([other, workspaceId].sort());
  });

  it('that vanished with all its rows and entities is missed, every day', async () => {
    await scan();
    for (const [key, { entity }] of vault.tables.entities)
      if (entity.workspaceId === workspaceId) vault.tables.entities.delete(key);
    for (const [key, row] of vault.tables.rows)
      if (row.workspaceId === workspaceId) vault.tables.rows.delete(key);
    // Its state as well: the registration tells of it.
    vault.verifications.states.delete(workspaceId);
    for (const _day of [1, 2]) {
      vault.clock.advance(24 * 60 * 60 * 1000);
      const results = await world.job();
      expect(results.find((result) => result.workspaceId === workspaceId)?.findings?.breaks).toContainEqual({
        lane: 0,
        seq: 1,
        reason: 'missing_row',
      });
    }
    expect(world.alerts).toContainEqual(
      expect.objectContaining({ workspaceId: PLATFORM_WORKSPACE, kind: 'audit_break', subject: 'row 0-1' }),
    );
    expect(rowsOf(vault, workspaceId)).toEqual([]);
  });
});

import { STRANGER_LANE } from '../../core/audit/event.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { type ApiKey, apiKeyKind } from '../../core/identity/api-key.ts';
import { mfaKind } from '../../core/identity/mfa.ts';
import { userKind } from '../../core/identity/user.ts';
import { type Change, create, type Entity, entityDigest, remove, update } from '../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { membershipKind } from '../../core/members/membership.ts';
import { retentionFloorKind } from '../../core/retention/floor.ts';
import { webhookKind } from '../../core/siem/webhook.ts';
import { setUp } from '../../core/workspaces/set-up.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import { addKey } from '../support/api-world.ts';
import { entityKey } from '../support/memory-store.ts';
import { CALLER, SETUP_TOKEN } from '../support/memory-vault.ts';
import { addPerson } from '../support/people.ts';
import { SeededRandom } from '../support/random.ts';
import { Tamperer } from '../support/tamper.ts';
import { historyOf, seal, seededVault } from './history.ts';
import { RestoredWorld } from './restored-world.ts';

const HOUR_MS = 3_600_000;

/** A deployment whose rows are all sealed, and what somebody does who can write its backups, with all checksums right. */
async function forged() {
  const random = new SeededRandom(1);
  const vault = seededVault(random);
  const { workspaceId } = await setUp(vault, { setupToken: SETUP_TOKEN, workspaceName: 'Acme' }, CALLER);
  const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error('The workspace was made.');
  const policy = { ...workspace.policy, requireMfa: true };
  const commit = (action: string, changes: readonly Change[], detail = {}, ws = workspaceId) =>
    vault.trail.commit(systemOrigin(ws), [
      {
        action: action as 'secret.read',
        entity: { type: 'thing', id: 'x' },
        result: 'success',
        detail,
        changes,
      },
    ]);
  await commit('workspace.updated', [update(workspaceKind, workspace, { policy })], { requireMfa: 'true' });
  const key = await addKey(vault, workspaceId, { role: 'viewer' });
  const user = await addPerson(vault, workspaceId, { email: 'eve@example.com', role: 'viewer' });
  const mfa = create(mfaKind, {
    workspaceId: PLATFORM_WORKSPACE,
    id: user.id,
    version: 1,
    format: '1',
    ciphertext: random.bytes(20),
    nonce: random.bytes(12),
    tag: random.bytes(16),
    wrappedKey: random.bytes(32),
    keyArn: 'arn',
    startedAt: timestamp(vault.clock.now()),
    confirmedAt: timestamp(vault.clock.now()),
    lastStep: 0,
    backupCodes: [],
  });
  await commit('user.mfa_enabled', [mfa], {}, PLATFORM_WORKSPACE);
  await seal(vault);

  const restore = async () => {
    const world = new RestoredWorld(historyOf(vault, random), new SeededRandom(2));
    const report = await world.restore();
    const find = <E extends Entity>(kind: string, id: string, ws = workspaceId): E | undefined =>
      world.tables.entities.get(entityKey({ kind, workspaceId: ws, id }))?.entity as E | undefined;
    return { world, report, find };
  };
  return { vault, workspaceId, key, user, mfa, policy, commit, restore, tamper: new Tamperer(vault.tables) };
}

describe('rows added behind the last one that was signed', () => {
  async function withRows() {
    const vault = await forged();
    const { store } = vault.vault;
    const { workspaceId, user, mfa, policy, commit } = vault;
    const planted = await addKey(vault.vault, workspaceId, { role: 'owner' });
    const membership = await store.get(membershipKind, workspaceId, user.id);
    const person = await store.get(userKind, PLATFORM_WORKSPACE, user.id);
    const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
    if (!membership || !person || !workspace) throw new Error('All of them were made.');
    await commit('member.role_changed', [update(membershipKind, membership, { role: 'owner' })], {
      from: 'viewer',
      to: 'owner',
    });
    const loose = { policy: { ...policy, requireMfa: false } };
    await commit('workspace.updated', [update(workspaceKind, workspace, loose)], { requireMfa: 'false' });
    await commit('user.mfa_disabled', [remove(mfaKind, mfa.entity)], {}, PLATFORM_WORKSPACE);
    await commit(
      'user.password_changed',
      [update(userKind, person, { passwordHash: 'of the attacker' })],
      {},
      PLATFORM_WORKSPACE,
    );
    return { ...vault, planted };
  }

  test('open nothing, and are counted', async () => {
    const { restore, planted, user, workspaceId, key } = await withRows();
    const { report, find } = await restore();
    expect(report.unsealed).toBe(5);
    expect(find<ApiKey>('apiKey', planted.id)?.revokedAt).toBeDefined();
    expect(find<ApiKey>('apiKey', key.id)?.revokedAt).toBeUndefined();
    expect(find('membership', user.id)).toBeUndefined();
    expect(find('workspace', workspaceId)).toMatchObject({ policy: { requireMfa: true } });
    expect(find('user', user.id, PLATFORM_WORKSPACE)).not.toMatchObject({ passwordHash: 'of the attacker' });
    expect(find('mfa', user.id, PLATFORM_WORKSPACE)).toMatchObject({
      backupCodes: [],
      lastStep: 2 ** 53 - 1,
    });
  });

  test('are waiting for the sealer, if it was at work last before them', async () => {
    const { restore } = await withRows();
    expect((await restore()).report.isGood).toBe(true);
  });

  test('are a break, if the sealer was at work long after them', async () => {
    const { vault, workspaceId, restore, tamper } = await withRows();
    // The rows came into the backup when this workspace had long been sealed: here it is sealed without them.
    const rows = [...vault.tables.rows.values()].filter((row) => row.workspaceId === workspaceId);
    const sealed = vault.log.seals.states.get(workspaceId)?.lanes['0']?.seq ?? 0;
    const planted = rows.filter(({ lane, seq }) => lane === 0 && seq > sealed);
    for (const row of planted) tamper.removeRow(row, row.seq);
    vault.clock.advance(HOUR_MS);
    await vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE), [
      { action: 'backup.started', entity: { type: 'backup', id: 'b' }, result: 'success' },
    ]);
    await seal(vault);
    for (const row of planted) tamper.putRow(row);
    const { report } = await restore();
    const found = report.verdicts.find((verdict) => verdict.workspaceId === workspaceId);
    expect(found?.findings.breaks).toMatchObject([{ lane: 0, seq: sealed + 1, reason: 'unsealed' }]);
    expect(report.isGood).toBe(false);
  });
});

test('a signed row that was rewritten opens nothing, and is named', async () => {
  const { vault, workspaceId, key, restore, tamper } = await forged();
  const stored = tamper.entity('apiKey', key.id);
  const owner = { ...stored.entity, role: 'owner' } as Entity;
  const before = entityDigest(stored.entity);
  const lane = { workspaceId, lane: stored.row.lane };
  tamper.editBytes(lane, stored.row.seq, (text) => text.replace(before, entityDigest(owner)), true);
  tamper.putEntity(owner, stored.row);
  expect((await vault.store.find(apiKeyKind, key.id))?.role).toBe('owner');
  const { report, find } = await restore();
  expect(find<ApiKey>('apiKey', key.id)?.revokedAt).toBeDefined();
  const breaks = report.verdicts.flatMap(({ findings }) => findings.breaks);
  expect(breaks).toContainEqual({ lane: lane.lane, seq: stored.row.seq, reason: 'log_forked' });
  expect(report.isGood).toBe(false);
});

test('a policy that was loosened is as its rows say', async () => {
  const { workspaceId, restore, tamper } = await forged();
  const { entity, row } = tamper.entity('workspace', workspaceId);
  const { policy } = entity as Entity & { readonly policy: object };
  tamper.putEntity({ ...entity, policy: { ...policy, requireMfa: false } } as Entity, row);
  const { report, find } = await restore();
  expect(find('workspace', workspaceId)).toMatchObject({ policy: { requireMfa: true } });
  expect(report.isGood).toBe(false);
});

test('a retention floor that nobody raised gives up nothing', async () => {
  const { vault, workspaceId, restore, tamper } = await forged();
  const ref = { workspaceId, lane: 0 };
  const { hash } = tamper.row(ref, 3);
  const lanes = { '0': { throughSeq: 3, hash, ts: timestamp(vault.clock.now()) } };
  const content = { lanes, day: '2026-01-01', manifest: 'a'.repeat(64) };
  const floor = create(retentionFloorKind, { workspaceId, id: workspaceId, ...content }).entity;
  tamper.putEntity(floor, { lane: 0, seq: 9_999 });
  tamper.removeRow(ref, 2);
  const { report } = await restore();
  const breaks = report.verdicts.flatMap(({ findings }) => findings.breaks);
  expect(breaks).toContainEqual(expect.objectContaining({ lane: 0, seq: 2, reason: 'missing_row' }));
  expect(report.scanned.left).toBe(1);
  expect(report.isGood).toBe(false);
});

test('a webhook that was turned elsewhere is paused', async () => {
  const { vault, workspaceId, restore, tamper } = await forged();
  const webhook = create(webhookKind, {
    workspaceId,
    id: 'wh_1',
    name: 'siem',
    url: 'https://siem.example.com/',
    preset: 'generic',
    batchSize: 100,
    state: 'active',
    signingSecrets: [{ version: 1, keyId: '1' }],
    start: { number: 1, next: { '0': 1 } },
    createdAt: timestamp(vault.clock.now()),
    createdBy: 'x',
  });
  await vault.trail.commit(systemOrigin(workspaceId), [
    {
      action: 'webhook.created',
      entity: { type: 'webhook', id: 'wh_1' },
      result: 'success',
      changes: [webhook],
    },
  ]);
  await seal(vault);
  const { entity, row } = tamper.entity('webhook', 'wh_1');
  tamper.putEntity({ ...entity, url: 'https://attacker.example.com/' } as Entity, row);
  const { report, find } = await restore();
  expect(find('webhook', 'wh_1')).toMatchObject({ state: 'paused' });
  expect(report.isGood).toBe(false);
});

test("a stray entity in the strangers' lane is closed like any other", async () => {
  const { workspaceId, key, restore, tamper } = await forged();
  const { entity } = tamper.entity('apiKey', key.id);
  tamper.putEntity({ ...entity, id: 'key_planted' } as Entity, { lane: STRANGER_LANE, seq: 1 });
  const { find } = await restore();
  expect(find<ApiKey>('apiKey', 'key_planted')?.revokedAt).toBeDefined();
  expect(find<ApiKey>('apiKey', key.id, workspaceId)?.revokedAt).toBeUndefined();
});

import { PRINCIPAL_LANE } from '../../../core/audit/event.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { decodeRow } from '../../../core/audit/row.ts';
import { create } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { retentionFloorKind } from '../../../core/retention/floor.ts';
import { recoverSealedRows } from '../../../core/seal/recover-sealed-rows.ts';
import type { SealState } from '../../../core/seal/seal-state.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import type { Fault } from '../../support/memory-ledger.ts';
import { SealWorld, WORKSPACE } from '../../support/seal-world.ts';
import { Tamperer } from '../../support/tamper.ts';

jest.setTimeout(60_000);

const PREFIX = `log/${WORKSPACE}/`;
const lane = { workspaceId: WORKSPACE, lane: PRINCIPAL_LANE };

/** A world whose tables were restored to an instant between two of its three seals. */
async function restoredWorld(): Promise<SealWorld> {
  const world = new SealWorld();
  await world.write(4, 2);
  await sealWorkspace(world.parts, WORKSPACE);
  const backup = world.copy();
  for (let round = 0; round < 2; round += 1) {
    await world.write(130, 3);
    await sealWorkspace(world.parts, WORKSPACE, { force: true });
  }
  const restored = world.copy();
  restored.tables.rows.clear();
  for (const [key, row] of backup.tables.rows) restored.tables.rows.set(key, row);
  restored.seals.states.clear();
  restored.seals.leaves.clear();
  for (const [key, state] of backup.seals.states) restored.seals.states.set(key, state);
  for (const [key, segments] of backup.seals.leaves) restored.seals.leaves.set(key, segments);
  return restored;
}

const recover = (world: SealWorld, mayGoOn?: () => boolean) =>
  recoverSealedRows({ ...world.parts, trail: world.trail, store: world.tables.store }, WORKSPACE, mayGoOn);

/** Has time for one step. */
const once = () => {
  let isFirst = true;
  return () => {
    const may = isFirst;
    isFirst = false;
    return may;
  };
};

function events(world: SealWorld) {
  return world.tables.lane(lane).map((row) => decodeRow(row.bytes));
}

/** All rows are back and sealed, each row's place is known, and sealing goes on. */
async function expectWhole(world: SealWorld): Promise<void> {
  await world.write(2);
  expect(await sealWorkspace(world.parts, WORKSPACE, { force: true })).toMatchObject({ status: 'sealed' });
  const { log, unsealed } = await world.checkLog();
  expect(unsealed).toBe(0);
  for (const row of world.tables.rows.values()) {
    const segment = await world.seals.segmentOf(WORKSPACE, row.lane, row.seq);
    const leaf = (segment?.firstLeaf ?? 0) + row.seq - (segment?.firstSeq ?? 0);
    expect(log.entries[leaf]?.equals(row.bytes)).toBe(true);
  }
}

test('what was sealed and is gone is put back to the byte, and that is an event', async () => {
  const world = await restoredWorld();
  expect(await sealWorkspace(world.parts, WORKSPACE)).toEqual({ status: 'refused', reason: 'log_shrunk' });
  expect(await recover(world)).toEqual({
    status: 'recovered',
    done: true,
    fromSize: 7,
    toSize: 273,
    rows: 266,
  });
  expect(events(world).at(-1)).toMatchObject({
    action: 'audit.restored',
    actor: { type: 'system', id: 'sealer' },
    detail: { fromSize: '7', toSize: '273', rows: '266' },
  });
  await expectWhole(world);
});

test('a state whose last notes a backup lacks begins anew, and every row has its place again', async () => {
  const world = await restoredWorld();
  await recover(world);
  for (const lane of world.seals.leaves.values()) {
    const last = Math.max(...lane.keys());
    lane.delete(last);
  }
  expect(await recover(world)).toMatchObject({ status: 'recovered', toSize: 273, rows: 0 });
  await expectWhole(world);
});

test('it may be run again, and on a log that needs nothing', async () => {
  const world = await restoredWorld();
  await recover(world);
  expect(await recover(world)).toMatchObject({ status: 'recovered', fromSize: 273, toSize: 273, rows: 0 });
  await expectWhole(world);
});

test('a workspace that was never sealed has nothing to recover', async () => {
  const world = new SealWorld();
  await world.write(2);
  expect(await recover(world)).toEqual({ status: 'unsealed' });
});

test('the state is gone altogether', async () => {
  const world = await restoredWorld();
  world.seals.states.clear();
  world.seals.leaves.clear();
  expect(await recover(world)).toMatchObject({ status: 'recovered', fromSize: 0, toSize: 273 });
  await expectWhole(world);
});

test('only the rows were restored', async () => {
  const world = await restoredWorld();
  await recover(world);
  for (const { seq } of world.tables.lane(lane).slice(100)) new Tamperer(world.tables).removeRow(lane, seq);
  expect(await recover(world)).toMatchObject({ status: 'recovered', rows: 165 });
});

test('the last seal had not come to be published as the newest checkpoint', async () => {
  const world = await restoredWorld();
  const versions = world.archive.versions.get(`${PREFIX}checkpoint`) ?? [];
  versions.pop();
  expect(await recover(world)).toMatchObject({ status: 'recovered', toSize: 273 });
  await expectWhole(world);
});

test('rows that retention deleted stay deleted', async () => {
  const world = await restoredWorld();
  const floor = create(retentionFloorKind, {
    workspaceId: WORKSPACE,
    id: WORKSPACE,
    lanes: { 0: { throughSeq: 3, hash: 'a'.repeat(64), ts: '' } },
    day: '2026-01-01',
    manifest: 'b'.repeat(64),
  });
  world.tables.entities.set(`retentionFloor#${WORKSPACE}#${WORKSPACE}`, {
    entity: floor.entity,
    row: { lane: 0, seq: 1 },
  });
  for (const seq of [1, 2, 3]) new Tamperer(world.tables).removeRow(lane, seq);
  expect(await recover(world)).toMatchObject({ status: 'recovered', rows: 266 });
  expect(world.tables.lane(lane)[0]?.seq).toBe(4);
});

describe('refused, and nothing is written', () => {
  let world: SealWorld;
  beforeEach(async () => {
    world = await restoredWorld();
  });
  const expectRefused = async (reason: string, subject: string) => {
    const rows = world.tables.rows.size;
    expect(await recover(world)).toEqual({ status: 'refused', reason });
    expect(world.alerts.at(-1)).toMatchObject({ tier: 'critical', kind: reason, subject });
    expect(world.tables.rows.size).toBe(rows);
  };

  test('something wrote since the restore', async () => {
    await world.trail.commit(systemOrigin(WORKSPACE), [
      { action: 'secret.read', entity: { type: 'secret', id: 'x' }, result: 'success' },
    ]);
    await expectRefused('log_forked', 'row 0-6');
  });

  test('the last row that was restored is not the one that was sealed', async () => {
    new Tamperer(world.tables).editBytes(lane, 5, (text) => text.replace('secret.read', 'secret.rear'), true);
    await expectRefused('log_forked', 'row 0-5');
  });

  test.each([
    ['missing', () => world.archive.hide(`${PREFIX}tile/entries/001.p/17`), 'tile/entries/001.p/17'],
    [
      'of no form',
      () => world.archive.put(`${PREFIX}tile/entries/001.p/17`, Buffer.from('x')),
      'tile/entries/001.p/17',
    ],
    [
      'of another row',
      () => {
        const bytes = Buffer.from(world.archive.current(`${PREFIX}tile/entries/001.p/17`)?.bytes ?? []);
        bytes[10] = (bytes[10] ?? 0) ^ 1;
        world.archive.put(`${PREFIX}tile/entries/001.p/17`, bytes);
      },
      'checkpoint 273',
    ],
  ])('a bundle is %s', async (_, spoil, subject) => {
    spoil();
    await expectRefused('archive_conflict', subject);
  });

  test('the checkpoint that is kept for good is hidden', async () => {
    world.archive.hide(`${PREFIX}seals/0000000000000273`);
    await expectRefused('archive_conflict', 'checkpoint 273');
  });
});

describe('a log that is too large for one run', () => {
  /** Sealed at 301, 4,397 and 4,501 leaves; the table has the first 301 rows, and the state knows of them. */
  async function largeWorld(): Promise<SealWorld> {
    const world = new SealWorld();
    world.tables.rowsPerRead = 5_000;
    await world.write(300);
    await sealWorkspace(world.parts, WORKSPACE);
    const backup = world.copy();
    await world.write(4_200);
    await sealWorkspace(world.parts, WORKSPACE, { force: true });
    world.tables.rows.clear();
    for (const [key, row] of backup.tables.rows) world.tables.rows.set(key, row);
    world.seals.states.clear();
    for (const [key, state] of backup.seals.states) world.seals.states.set(key, state);
    return world;
  }

  test('each run goes on where the one before was stopped, and reads nothing that was done', async () => {
    const world = await largeWorld();
    const bundles = jest.spyOn(world.archive, 'read');
    const rows = jest.spyOn(world.tables.ledger, 'rows');
    const done = { status: 'interrupted', done: false, toSize: 4_501 };
    expect(await recover(world, once())).toEqual({ ...done, size: 4_397, rows: 4_096 });
    expect(world.tables.lane(lane)).toHaveLength(4_397);
    expect(await sealWorkspace(world.parts, WORKSPACE, { force: true })).toMatchObject({ status: 'refused' });
    expect(await recover(world, () => false)).toEqual({ ...done, size: 4_397, rows: 4_096 });
    expect(events(world)).not.toContainEqual(expect.objectContaining({ action: 'audit.restored' }));
    expect(await recover(world)).toEqual({
      status: 'recovered',
      done: true,
      fromSize: 301,
      toSize: 4_501,
      rows: 4_200,
    });
    const restored = events(world).filter(({ action }) => action === 'audit.restored');
    expect(restored.map(({ detail }) => detail['rows'])).toEqual(['4200']);
    // Leaf 301 is in bundle 1, and 4,397 in bundle 17.
    const read = bundles.mock.calls.map(([key]) => key).filter((key) => key.includes('tile/entries/'));
    expect(read).toHaveLength(18);
    const from = rows.mock.calls.map(([, seq]) => seq);
    expect(Math.min(...from)).toBe(302);
    await expectWhole(world);
  });

  test('without the state it begins at the first leaf, and still ends', async () => {
    const world = await largeWorld();
    world.seals.states.clear();
    world.seals.leaves.clear();
    const sizes: (number | undefined)[] = [];
    for (let result = await recover(world, once()); ; result = await recover(world, once())) {
      sizes.push(result.status === 'interrupted' ? result.size : undefined);
      if (result.status !== 'interrupted') break;
    }
    expect(sizes).toEqual([301, 4_397, undefined]);
    await expectWhole(world);
  });
});

describe('a state that is not the one that was signed is made anew from the log', () => {
  test.each<[string, Partial<SealState>]>([
    ['size', { size: 9 }],
    ['root', { root: '0'.repeat(64) }],
    ['frontier', { frontier: ['x'] }],
    ['checkpoint', { checkpoint: 'a note' }],
    ['published size', { publishedSize: 8 }],
  ])('%s', async (_, altered) => {
    const world = await restoredWorld();
    const state = world.seals.states.get(WORKSPACE);
    if (state === undefined) throw new Error('There is no state.');
    world.seals.states.set(WORKSPACE, { ...state, ...altered });
    expect(await sealWorkspace(world.parts, WORKSPACE)).toMatchObject({ reason: 'log_forked' });
    expect(await recover(world)).toMatchObject({ status: 'recovered', fromSize: 0, toSize: 273, rows: 266 });
    await expectWhole(world);
  });

  test('and so are its lanes, where they name rows that the table does not hold', async () => {
    const world = await restoredWorld();
    const state = world.seals.states.get(WORKSPACE);
    if (state === undefined) throw new Error('There is no state.');
    world.seals.states.set(WORKSPACE, {
      ...state,
      lanes: { 0: { seq: 2, hash: 'a'.repeat(64), ts: '' } },
    });
    expect(await recover(world)).toMatchObject({ status: 'recovered', toSize: 273, rows: 266 });
    await expectWhole(world);
  });

  test('but two trees of one size that were both signed stay refused', async () => {
    const world = await restoredWorld();
    await recover(world);
    const state = world.seals.states.get(WORKSPACE);
    const other = new SealWorld();
    await other.write(269, 3);
    await sealWorkspace(other.parts, WORKSPACE);
    const forged = other.seals.states.get(WORKSPACE);
    if (state === undefined || forged === undefined) throw new Error('There is no state.');
    expect(forged.size).toBe(state.size);
    world.seals.states.set(WORKSPACE, { ...forged, version: state.version });
    expect(await recover(world)).toEqual({ status: 'refused', reason: 'log_forked' });
    expect(world.seals.states.get(WORKSPACE)).toMatchObject({ root: forged.root });
  });
});

test('a sealed row that claims the place of another does not keep the others from coming back', async () => {
  const world = new SealWorld();
  await world.write(6);
  const tamperer = new Tamperer(world.tables);
  tamperer.editBytes(lane, 6, (text) => text.replace('"seq":"6"', '"seq":"3"'), true);
  await sealWorkspace(world.parts, WORKSPACE);
  await world.write(2);
  await sealWorkspace(world.parts, WORKSPACE, { force: true });
  for (const { seq } of world.tables.lane(lane).slice(3)) tamperer.removeRow(lane, seq);
  expect(await recover(world)).toMatchObject({ status: 'recovered', rows: 5 });
  expect(world.tables.lane(lane).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 7, 8, 9, 10]);
});

test.each(['before', 'after', 'crash'] as const)(
  'whichever call fails (%s), running it again finishes it',
  async (fault) => {
    const beginning = await restoredWorld();
    for (let at = 0; ; at = Math.ceil((at + 1) * 1.4)) {
      const world = beginning.copy();
      let calls = 0;
      let crash = () => {};
      const crashed = new Promise<void>((resolve) => {
        crash = resolve;
      });
      world.tables.faults = async (): Promise<Fault> => {
        calls += 1;
        if (fault !== 'crash') return calls === at + 1 ? fault : 'none';
        if (calls > at) crash();
        return calls > at ? new Promise(() => undefined) : 'none';
      };
      const run = recover(world).catch((error) => {
        if (!(error instanceof VaultError) || error.code !== 'unavailable') throw error;
      });
      await Promise.race([run, crashed]);
      if (calls <= at) break;
      const next = world.copy();
      expect(await recover(next)).toMatchObject({ status: 'recovered', toSize: expect.any(Number) });
      await expectWhole(next);
    }
  },
);

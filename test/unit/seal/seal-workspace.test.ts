import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { StoredRow } from '../../../core/audit/ledger.ts';
import { rowHash } from '../../../core/audit/row.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import type { Cosigner } from '../../../core/seal/cosigner.ts';
import { sealPath } from '../../../core/seal/log-origin.ts';
import { sealDeployment, type WorkspaceSeal } from '../../../core/seal/seal-deployment.ts';
import type { SealStates } from '../../../core/seal/seal-state.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import { parseCheckpoint } from '../../../core/transparency/checkpoint.ts';
import { EMPTY_ROOT } from '../../../core/transparency/merkle.ts';
import { verifyConsistency } from '../../../core/transparency/proofs.ts';
import { parseNote } from '../../../core/transparency/signed-note.ts';
import { newWorkspace } from '../../../core/workspaces/workspace.ts';
import { SealWorld, WORKSPACE } from '../../support/seal-world.ts';
import { Tamperer } from '../../support/tamper.ts';

jest.setTimeout(60_000);

const MINUTE = 60_000;
const lane = { workspaceId: WORKSPACE, lane: 0 };

let world: SealWorld;
beforeEach(() => {
  world = new SealWorld();
});

const seal = (force = false) => sealWorkspace(world.parts, WORKSPACE, { force });

describe('when it seals', () => {
  test('a workspace without rows has no log', async () => {
    expect(await seal()).toEqual({ status: 'current', size: 0 });
    expect(world.archive.keys()).toEqual([]);
  });

  test('at once, then a minute later', async () => {
    await world.write(1);
    expect(await seal()).toEqual({ status: 'sealed', size: 2 });
    expect(await seal()).toEqual({ status: 'current', size: 2 });
    await world.write(1);
    expect(await seal()).toEqual({ status: 'waiting', size: 2 });
    world.clock.advance(MINUTE - 1);
    expect(await seal()).toEqual({ status: 'waiting', size: 2 });
    world.clock.advance(1);
    expect(await seal()).toEqual({ status: 'sealed', size: 3 });
  });

  test('earlier where a thousand rows wait, or somebody wants it', async () => {
    await world.write(1);
    await seal();
    await world.write(999);
    expect(await seal()).toEqual({ status: 'waiting', size: 2 });
    await world.write(1);
    expect(await seal()).toEqual({ status: 'sealed', size: 1_002 });
    await world.write(1);
    expect(await seal(true)).toEqual({ status: 'sealed', size: 1_003 });
  });

  test('a last seal by a clock that was ahead keeps it from nothing', async () => {
    world.clock.advance(60 * MINUTE);
    await world.write(1);
    await seal();
    await world.write(1);
    world.clock.advance(-59 * MINUTE);
    expect(await seal()).toEqual({ status: 'sealed', size: 3 });
  });

  test('nothing is signed when there is nothing new', async () => {
    await world.write(1);
    await seal();
    const sign = jest.spyOn(world.signer, 'sign');
    expect(await seal(true)).toEqual({ status: 'current', size: 2 });
    expect(sign).not.toHaveBeenCalled();
  });

  test('more rows than one step takes are sealed in several, each with its checkpoint', async () => {
    await world.write(8_300, 5);
    expect(await seal()).toEqual({ status: 'sealed', size: 8_306 });
    expect(world.archive.keys(`log/${WORKSPACE}/seals/`).map((key) => Number(key.slice(-16)))).toEqual([
      4_096, 8_192, 8_306,
    ]);
    expect((await world.checkLog()).unsealed).toBe(0);
    // Rows of one lane that follow each other are one segment of each step.
    const segments = [...(world.seals.leaves.get(`${WORKSPACE}#0`)?.values() ?? [])];
    expect(segments.map(({ firstSeq, firstLeaf }) => [firstSeq, firstLeaf])).toEqual([
      [1, 0],
      [4_097, 4_096],
      [8_193, 8_192],
    ]);
  });

  test('where each row stands in the tree is known', async () => {
    for (let round = 0; round < 3; round += 1) {
      await world.write(3, 2);
      await seal(true);
    }
    const { log } = await world.checkLog();
    for (const row of world.tables.rows.values()) {
      const segment = await world.seals.segmentOf(WORKSPACE, row.lane, row.seq);
      const leaf = (segment?.firstLeaf ?? 0) + row.seq - (segment?.firstSeq ?? 0);
      expect(log.entries[leaf]?.equals(row.bytes)).toBe(true);
    }
  });
});

describe('rows that do not verify are sealed and alerted', () => {
  beforeEach(async () => {
    await world.write(3);
    await seal();
    await world.write(3);
  });
  const breaks = () => world.alerts.map(({ kind, subject, detail }) => [kind, subject, detail['reason']]);

  test('edited', async () => {
    new Tamperer(world.tables).editBytes(
      lane,
      6,
      (text) => text.replace('secret.read', 'secret.rear'),
      false,
    );
    expect(await seal(true)).toEqual({ status: 'sealed', size: 7 });
    expect(breaks()).toEqual([['audit_break', 'row 0-6', 'hash_mismatch']]);
    expect((await world.checkLog()).unsealed).toBe(0);
  });

  test('missing', async () => {
    new Tamperer(world.tables).removeRow(lane, 6);
    expect(await seal(true)).toEqual({ status: 'sealed', size: 6 });
    expect(breaks()).toEqual([['audit_break', 'row 0-6', 'missing_row']]);
    expect(await world.seals.segmentOf(WORKSPACE, 0, 7)).toMatchObject({ firstSeq: 7, firstLeaf: 5 });
    expect(await world.seals.segmentOf(WORKSPACE, 0, 6)).toBeUndefined();
  });

  test('of no form at all', async () => {
    const bytes = Buffer.from('no row');
    const row = new Tamperer(world.tables).row(lane, 7);
    new Tamperer(world.tables).putRow({ ...row, bytes, hash: rowHash(bytes) });
    expect(await seal(true)).toEqual({ status: 'sealed', size: 7 });
    expect(breaks()).toEqual([['audit_break', 'row 0-7', 'malformed']]);
    // The writer had its head before that row was spoiled; after the break, rows are checked against what is there.
    await world.write(2);
    expect(await seal(true)).toEqual({ status: 'sealed', size: 9 });
    expect(breaks().slice(1)).toEqual([['audit_break', 'row 0-8', 'broken_link']]);
  });

  test.each([
    ['none', new Uint8Array()],
    ['too many', new Uint8Array(65_536)],
  ])('but not with %s of the bytes that an entry may have', async (_, bytes) => {
    const tamperer = new Tamperer(world.tables);
    const row: StoredRow = { ...tamperer.row(lane, 6), bytes };
    tamperer.putRow(row);
    expect(await seal(true)).toEqual({ status: 'sealed', size: 6 });
    expect(breaks()[0]).toEqual(['audit_break', 'row 0-6', expect.any(String)]);
  });

  test('many at once raise one alert', async () => {
    const tamperer = new Tamperer(world.tables);
    for (const seq of [5, 6, 7])
      tamperer.editBytes(lane, seq, (text) => text.replace('secret.read', 'x'), false);
    await seal(true);
    expect(world.alerts).toHaveLength(1);
    expect(world.alerts[0]?.detail).toMatchObject({ breaks: '3' });
  });

  test('a lane with hundreds of gaps is sealed in as many transactions as it takes', async () => {
    await world.write(400);
    const tamperer = new Tamperer(world.tables);
    for (let seq = 9; seq < 400; seq += 2) tamperer.removeRow(lane, seq);
    expect(await seal(true)).toMatchObject({ status: 'sealed', size: world.tables.rows.size });
  });
});

test('witnesses are asked once the tiles are there, and their lines are published and not kept for good', async () => {
  const asked: [number, number][] = [];
  const line = `\u2014 witness.example ${Buffer.alloc(76, 1).toString('base64')}\n`;
  const rootAt = (size: number) => {
    const note = text(sealPath(size));
    return parseCheckpoint(parseNote(note).text).root;
  };
  const cosign: Cosigner = {
    async cosign({ size, previousSize }, { prove }) {
      asked.push([previousSize, size]);
      const hashes = await prove(previousSize, size);
      const before = previousSize === 0 ? EMPTY_ROOT : rootAt(previousSize);
      verifyConsistency(previousSize, before, size, rootAt(size), hashes);
      return [line];
    },
  };
  await world.write(5);
  await sealWorkspace({ ...world.parts, cosign }, WORKSPACE);
  await world.write(300);
  await sealWorkspace({ ...world.parts, cosign }, WORKSPACE, { force: true });
  expect(asked).toEqual([
    [0, 6],
    [6, 306],
  ]);
  const own = world.seals.states.get(WORKSPACE)?.checkpoint;
  expect(text('checkpoint')).toBe(`${own}${line}`);
  expect(text(sealPath(306))).toBe(own);
  expect((await world.checkLog()).unsealed).toBe(0);
});

test('who asks a witness about a checkpoint can learn that another sealer has gone on', async () => {
  const sizes: number[] = [];
  const cosign: Cosigner = {
    async cosign(_, { newestSize }) {
      sizes.push(await newestSize());
      await world.write(2);
      await seal(true);
      sizes.push(await newestSize());
      return [];
    },
  };
  await world.write(5);
  await sealWorkspace({ ...world.parts, cosign }, WORKSPACE);
  expect(sizes).toEqual([6, 8]);
  expect(await world.checkLog()).toMatchObject({ unsealed: 0 });
});

test('a deployment is sealed workspace by workspace, and one that cannot be keeps no other from it', async () => {
  const [first, second] = [`ws_${'1'.repeat(32)}`, `ws_${'2'.repeat(32)}`];
  await world.write(1, 0, PLATFORM_WORKSPACE);
  for (const workspaceId of [first, second]) {
    const created = newWorkspace(workspaceId, 'Acme', '2026-01-01T00:00:00.000Z');
    await world.trail.commit(systemOrigin(workspaceId), [
      {
        action: 'workspace.created',
        entity: { type: 'workspace', id: workspaceId },
        result: 'success',
        changes: [created],
      },
    ]);
  }
  const error = unavailable('The store does not answer right now.');
  const seals: SealStates = {
    ...methods(world.seals),
    read: async (workspaceId) => {
      if (workspaceId === first) throw error;
      return world.seals.read(workspaceId);
    },
  };
  const results: WorkspaceSeal[] = [];
  for await (const result of sealDeployment({ ...world.parts, seals, store: world.tables.store })) {
    results.push(result);
  }
  expect(results).toEqual([
    { workspaceId: PLATFORM_WORKSPACE, outcome: { status: 'sealed', size: 2 } },
    { workspaceId: first, error },
    { workspaceId: second, outcome: { status: 'sealed', size: 1 } },
  ]);
});

function methods(seals: SealStates): SealStates {
  return {
    read: (workspaceId) => seals.read(workspaceId),
    replace: (next, segments) => seals.replace(next, segments),
    segmentOf: (workspaceId, lane, seq) => seals.segmentOf(workspaceId, lane, seq),
    segments: (workspaceId, lane, from, limit) => seals.segments(workspaceId, lane, from, limit),
  };
}

function text(path: string): string {
  return Buffer.from(world.archive.current(`log/${WORKSPACE}/${path}`)?.bytes ?? []).toString('utf8');
}

import { type Origin, STRANGER_LANE } from '../../../core/audit/event.ts';
import { laneOpened, strangerOrigin } from '../../../core/audit/lane-start.ts';
import { decodeRow, rowHash } from '../../../core/audit/row.ts';
import { type AuditTrail, createAuditTrail } from '../../../core/audit/trail.ts';
import { update } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryTables, rowKey } from '../../support/memory-ledger.ts';
import { createNote, noted, noteKind, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

const STRANGER = strangerOrigin(WORKSPACE, '198.51.100.1', 'curl');

let tables: MemoryTables;
let calls: string[];
let seed = 0;
beforeEach(() => {
  tables = new MemoryTables();
  calls = [];
  tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
});

/** A trail as one more function instance has it: with a cache and a clock of its own. */
function newTrail(clock = new FakeClock()): AuditTrail {
  seed += 1;
  return createAuditTrail({ ledger: tables.ledger, clock, random: new SeededRandom(seed) });
}

function ids(lane: Pick<Origin, 'workspaceId' | 'lane'> = ORIGIN, start?: string): string[] {
  return checkedLane(tables, lane, start).map(({ entity }) => entity.id);
}

it('answers where the row of each event stands', async () => {
  const trail = newTrail();
  expect(await trail.commit(ORIGIN, [noted('a')])).toEqual([{ lane: 0, seq: 1 }]);
  expect(await trail.commit(ORIGIN, [noted('b'), noted('c')])).toEqual([
    { lane: 0, seq: 2 },
    { lane: 0, seq: 3 },
  ]);
  expect(ids()).toEqual(['a', 'b', 'c']);
});

it('keeps lanes and workspaces apart', async () => {
  const trail = newTrail();
  const other = { ...ORIGIN, workspaceId: 'ws_2' };
  await Promise.all([trail.commit(ORIGIN, [noted('a')]), trail.commit(other, [noted('b')])]);
  expect([ids(), ids(other)]).toEqual([['a'], ['b']]);
});

describe('the head of a lane', () => {
  it('is read once, and then known', async () => {
    const trail = newTrail();
    for (const id of ['a', 'b', 'c']) await trail.commit(ORIGIN, [noted(id)]);
    expect(calls).toEqual(['ledger.lastRow', 'ledger.append', 'ledger.append', 'ledger.append']);
  });

  it('that is out of date costs one more try', async () => {
    const [one, other] = [newTrail(), newTrail()];
    await one.commit(ORIGIN, [noted('a')]);
    await other.commit(ORIGIN, [noted('b')]);
    calls.length = 0;
    await one.commit(ORIGIN, [noted('c')]);
    expect(calls).toEqual(['ledger.append', 'ledger.append']);
    expect(ids()).toEqual(['a', 'b', 'c']);
  });

  it('is read before each commit while others write to the lane too, and no longer once they stopped', async () => {
    const [one, other] = [newTrail(), newTrail()];
    const commit = async (trail: AuditTrail): Promise<string[]> => {
      calls.length = 0;
      await trail.commit(ORIGIN, [noted('a')]);
      return [...calls];
    };
    await commit(one);
    await commit(other);
    expect(await commit(one)).toEqual(['ledger.append', 'ledger.append']);
    await commit(other);
    expect(await commit(one)).toEqual(['ledger.lastRow', 'ledger.append']);
    expect(await commit(one)).toEqual(['ledger.lastRow', 'ledger.append']);
    expect(await commit(one)).toEqual(['ledger.append']);
  });

  it('is read again after a commit that failed', async () => {
    const trail = newTrail();
    const stale = update(noteKind, createNote('none').entity, { text: '' });
    await trail.commit(ORIGIN, [noted('a')]);
    await expect(trail.commit(ORIGIN, [noted('b', stale)])).rejects.toMatchObject({
      code: 'concurrent_change',
    });
    calls.length = 0;
    await trail.commit(ORIGIN, [noted('c')]);
    expect(calls).toEqual(['ledger.lastRow', 'ledger.append']);
    expect(ids()).toEqual(['a', 'c']);
  });

  it('that cannot be read fails the commit with nothing written, and not the next one', async () => {
    const trail = newTrail();
    tables.faults = async () => 'before';
    await expect(trail.commit(ORIGIN, [noted('a')])).rejects.toMatchObject({ code: 'unavailable' });
    tables.faults = async () => 'none';
    await trail.commit(ORIGIN, [noted('b')]);
    expect(ids()).toEqual(['b']);
  });
});

describe('writers at once', () => {
  it('in one trail take turns: nobody finds a row taken', async () => {
    const trail = newTrail();
    const names = Array.from({ length: 20 }, (_, index) => `e${index}`);
    await Promise.all(names.map((id) => trail.commit(ORIGIN, [noted(id)])));
    expect(ids()).toEqual(names);
    expect(calls).toHaveLength(21);
  });

  it('in two trails that race for the same row both commit', async () => {
    const [one, other] = [newTrail(), newTrail()];
    const positions = await Promise.all([
      one.commit(ORIGIN, [noted('a', createNote('a'))]),
      other.commit(ORIGIN, [noted('b', createNote('b'))]),
    ]);
    expect(positions.flat().map(({ seq }) => seq)).toEqual([1, 2]);
    expect(ids()).toEqual(['a', 'b']);
  });

  it('of the same entity: one wins, the other hears of it, and only the winner has a row', async () => {
    const first = createNote('shared').entity;
    await newTrail().commit(ORIGIN, [noted('start', createNote('shared'))]);
    const results = await Promise.allSettled(
      ['x', 'y'].map((text) => newTrail().commit(ORIGIN, [noted(text, update(noteKind, first, { text }))])),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = results[0]?.status === 'fulfilled' ? 'x' : 'y';
    expect(ids()).toEqual(['start', winner]);
    expect(await tables.store.get(noteKind, WORKSPACE, 'shared')).toMatchObject({
      revision: 2,
      text: winner,
    });
  });

  it('do not wait for one that failed', async () => {
    const trail = newTrail();
    const stale = update(noteKind, createNote('none').entity, { text: '' });
    const results = await Promise.allSettled([
      trail.commit(ORIGIN, [noted('a')]),
      trail.commit(ORIGIN, [noted('b', stale)]),
      trail.commit(ORIGIN, [noted('c')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(ids()).toEqual(['a', 'c']);
  });
});

it('time never goes back in a lane, though clocks differ', async () => {
  const [ahead, behind] = [new FakeClock(), new FakeClock()];
  ahead.advance(60_000);
  const [fast, slow] = [newTrail(ahead), newTrail(behind)];
  await fast.commit(ORIGIN, [noted('a')]);
  await slow.commit(ORIGIN, [noted('b')]);
  behind.advance(-3_600_000);
  await slow.commit(ORIGIN, [noted('c')]);
  behind.advance(3_600_000 + 60_001);
  await slow.commit(ORIGIN, [noted('d')]);
  expect(checkedLane(tables, ORIGIN).map(({ ts }) => ts)).toEqual([
    '2026-01-01T00:01:00.000Z',
    '2026-01-01T00:01:00.000Z',
    '2026-01-01T00:01:00.000Z',
    '2026-01-01T00:01:00.001Z',
  ]);
});

it.each([
  ['bytes', { bytes: Buffer.from('{"v":1}') }],
  ['hash', { hash: 'f'.repeat(64) }],
  ['hash, which is none any more', { hash: '' }],
  ['nonce', { nonce: '' }],
])('a last row with a spoiled %s does not stop recording: the next follows its bytes', async (_, patch) => {
  await newTrail().commit(ORIGIN, [noted('a'), noted('b')]);
  const key = rowKey(ORIGIN, 2);
  const row = tables.rows.get(key);
  if (row === undefined) throw new Error('Row 2 is missing.');
  const spoiled = { ...row, ...patch };
  tables.rows.set(key, spoiled);

  expect(await newTrail().commit(ORIGIN, [noted('c')])).toEqual([{ lane: 0, seq: 3 }]);
  const third = await tables.ledger.row(ORIGIN, 3);
  expect(third && decodeRow(third.bytes)).toMatchObject({
    prev: rowHash(spoiled.bytes),
    entity: { id: 'c' },
  });
});

describe("the strangers' lane", () => {
  it('starts at the row of lane 0 that opened it', async () => {
    const trail = newTrail();
    await trail.commit(ORIGIN, [noted('a'), laneOpened(WORKSPACE, STRANGER_LANE)]);
    await trail.commit(STRANGER, [noted('s1')]);
    await newTrail().commit(STRANGER, [noted('s2')]);
    expect(ids()).toEqual(['a', WORKSPACE]);
    expect(ids(STRANGER, tables.rows.get(rowKey(ORIGIN, 2))?.hash)).toEqual(['s1', 's2']);
  });

  it('is opened first where it never was', async () => {
    const origin = strangerOrigin(undefined, '198.51.100.1', 'curl');
    await newTrail().commit(origin, [noted('s1')]);
    const platform = { workspaceId: PLATFORM_WORKSPACE, lane: 0 };
    expect(checkedLane(tables, platform)).toMatchObject([
      { action: 'lane.opened', detail: { lane: '1' }, actor: { type: 'system' } },
    ]);
    expect(ids(origin, tables.rows.get(rowKey(platform, 1))?.hash)).toEqual(['s1']);
  });

  it('opened by two at once starts at the first opening, for both', async () => {
    await Promise.all(['s1', 's2'].map((id) => newTrail().commit(STRANGER, [noted(id)])));
    expect(checkedLane(tables, ORIGIN).map(({ action }) => action)).toEqual(['lane.opened', 'lane.opened']);
    expect(ids(STRANGER, tables.rows.get(rowKey(ORIGIN, 1))?.hash).sort()).toEqual(['s1', 's2']);
  });

  it('can be opened when lane 0 has long been in use', async () => {
    const trail = newTrail();
    for (let index = 0; index < 25; index += 1) await trail.commit(ORIGIN, [noted(`e${index}`)]);
    await trail.commit(STRANGER, [noted('s1')]);
    expect(ids(STRANGER, tables.rows.get(rowKey(ORIGIN, 26))?.hash)).toEqual(['s1']);
  });
});

it('a commit whose answer was lost after it took effect is not doubled, and the next one follows it', async () => {
  const trail = newTrail();
  let lost = 0;
  tables.faults = async ({ name }) => {
    if (name !== 'ledger.append' || lost > 0) return 'none';
    lost += 1;
    return 'after';
  };
  await trail.commit(ORIGIN, [noted('a', createNote('a'))]);
  await trail.commit(ORIGIN, [noted('b')]);
  expect(lost).toBe(1);
  expect(ids()).toEqual(['a', 'b']);
});

import { type Origin, PRINCIPAL_LANE, STRANGER_LANE } from '../../../core/audit/event.ts';
import { DEFAULT_LANE_POLICY, type LanePolicy, WINDOW_MS } from '../../../core/audit/lane-choice.ts';
import { extraLaneFor, FIRST_EXTRA_LANE, laneSetKind } from '../../../core/audit/lane-set.ts';
import { strangerOrigin } from '../../../core/audit/lane-start.ts';
import type { Ledger } from '../../../core/audit/ledger.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { type AuditTrail, createAuditTrail } from '../../../core/audit/trail.ts';
import { check } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { FakeClock } from '../../support/clock.ts';
import { type Fault, MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, noted, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';
import { Tamperer } from '../../support/tamper.ts';

const READER: Origin = { ...ORIGIN, actor: { type: 'api_key', id: 'key_1' } };
const FEW: LanePolicy = { contendedAfter: 8, extraLanes: 3 };
const MINUTE = 60_000;

let tables: MemoryTables;
let clock: FakeClock;
let calls: string[];
/** What happens to the next appends in turn. */
let script: Fault[];
let seed = 0;
beforeEach(() => {
  [tables, clock, calls, script] = [new MemoryTables(), new FakeClock(), [], []];
  tables.faults = async ({ name }) => {
    calls.push(name);
    return name === 'ledger.append' ? (script.shift() ?? 'none') : 'none';
  };
});

/** One more function instance. */
function newTrail(lanePolicy: LanePolicy = FEW, ledger: Ledger = tables.ledger): AuditTrail {
  seed += 1;
  return createAuditTrail({ ledger, clock, random: new SeededRandom(seed), lanePolicy });
}

/** A change in lane 0 that loses so many races before it is written. */
async function loseRaces(trail: AuditTrail, count: number): Promise<void> {
  script = Array.from({ length: count }, () => 'contended');
  await trail.commit(READER, [noted('change', createNote(`made at ${tables.rows.size}`))]);
}

/** An instance that knows of the extra lanes, having opened them. */
async function openedBy(trail: AuditTrail): Promise<AuditTrail> {
  await loseRaces(trail, FEW.contendedAfter);
  await trail.commit(READER, [noted('first')]);
  return trail;
}

function openings(): AuditRow[] {
  return checkedLane(tables, ORIGIN).filter(({ action }) => action === 'lane.opened');
}

/** The rows of an extra lane, which must begin where its row in lane 0 opened it. */
function extraRows(lane: number): AuditRow[] {
  const opening = openings().find(({ detail }) => detail['lane'] === String(lane));
  const start = opening && new Tamperer(tables).row(ORIGIN, opening.seq).hash;
  return checkedLane(tables, { workspaceId: WORKSPACE, lane }, start ?? '');
}

const home = (id: string): number => extraLaneFor({ type: 'note', id }, FEW.extraLanes);

describe('a workspace in which nobody is in the way', () => {
  it('has one lane, and nobody looks for others', async () => {
    const trail = newTrail();
    for (let turn = 0; turn < 20; turn += 1) {
      await trail.commit(READER, [noted('a')]);
      clock.advance(MINUTE);
    }
    expect(new Set(calls)).toEqual(new Set(['ledger.lastRow', 'ledger.append']));
    expect(checkedLane(tables, ORIGIN)).toHaveLength(20);
  });

  it('after a lost race is looked at once, and again after the next one, but not within a minute', async () => {
    const trail = newTrail();
    const looks = async (): Promise<number> => {
      calls.length = 0;
      for (let turn = 0; turn < 3; turn += 1) await trail.commit(READER, [noted('a')]);
      return calls.filter((name) => name === 'ledger.extraLanes').length;
    };
    await loseRaces(trail, 1);
    expect(await looks()).toBe(1);
    clock.advance(MINUTE / 2);
    await loseRaces(trail, 1);
    expect(await looks()).toBe(0);
    clock.advance(MINUTE / 2);
    expect(await looks()).toBe(1);
    clock.advance(MINUTE);
    expect(await looks()).toBe(0);
  });

  it('keeps its one lane where races are lost now and then', async () => {
    const trail = newTrail();
    for (let turn = 0; turn < 5; turn += 1) {
      await loseRaces(trail, FEW.contendedAfter - 1);
      await trail.commit(READER, [noted('a')]);
      clock.advance(WINDOW_MS + 1);
    }
    expect(openings()).toEqual([]);
  });
});

describe('a contended workspace', () => {
  it('gets 15 more lanes unless told otherwise', async () => {
    const trail = newTrail(DEFAULT_LANE_POLICY);
    await loseRaces(trail, 8);
    await trail.commit(READER, [noted('a')]);
    expect(openings()).toHaveLength(15);
    expect(await tables.ledger.extraLanes(WORKSPACE)).toHaveLength(15);
  });

  it('opens its lanes in one commit, whose last row brings the set of them', async () => {
    await openedBy(newTrail());
    const rows = openings();
    expect(rows.map(({ detail, actor }) => [detail['lane'], actor.type])).toEqual([
      ['2', 'system'],
      ['3', 'system'],
      ['4', 'system'],
    ]);
    expect(rows.map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([[], [], ['laneSet']]);
    expect(await tables.ledger.extraLanes(WORKSPACE)).toEqual(
      rows.map(({ seq }, index) => ({ lane: FIRST_EXTRA_LANE + index, openedBy: seq })),
    );
  });

  it('has what concerns one entity in one lane, in order, linked to where that was opened', async () => {
    const trail = await openedBy(newTrail());
    const ids = Array.from({ length: 12 }, (_, index) => `e${index}`);
    for (let turn = 0; turn < 3; turn += 1) {
      for (const id of ids) {
        const [position] = await trail.commit(READER, [{ ...noted(id), detail: { turn: String(turn) } }]);
        expect(position?.lane).toBe(home(id));
      }
    }
    const rows = [2, 3, 4].flatMap(extraRows);
    expect(new Set(rows.map(({ lane }) => lane)).size).toBe(3);
    for (const id of ids) {
      const own = rows.filter(({ entity }) => entity.id === id);
      expect(own.map(({ lane, detail }) => [lane, detail['turn']])).toEqual(
        ['0', '1', '2'].map((turn) => [home(id), turn]),
      );
    }
  });

  it('keeps changes and checks, what the vault notes, and what strangers cause, where they always were', async () => {
    const trail = await openedBy(newTrail());
    const note = createNote('a');
    const laneOf = async (origin: Origin, ...events: Parameters<typeof noted>[]): Promise<number[]> =>
      (
        await trail.commit(
          origin,
          events.map((event) => noted(...event)),
        )
      ).map(({ lane }) => lane);
    expect(await laneOf(READER, ['a', note])).toEqual([PRINCIPAL_LANE]);
    expect(await laneOf(READER, ['a', check(note.kind, note.entity)])).toEqual([PRINCIPAL_LANE]);
    expect(await laneOf(READER, ['b'], ['c', createNote('c')])).toEqual([PRINCIPAL_LANE, PRINCIPAL_LANE]);
    expect(await laneOf(ORIGIN, ['a'])).toEqual([PRINCIPAL_LANE]);
    expect(await laneOf(strangerOrigin(WORKSPACE, '198.51.100.1', ''), ['a'])).toEqual([STRANGER_LANE]);
    // The rows of one commit stay together: where the first belongs.
    expect(await laneOf(READER, ['b'], ['c'])).toEqual([home('b'), home('b')]);
  });

  it('is no reason for other workspaces to open lanes', async () => {
    const trail = await openedBy(newTrail());
    const [position] = await trail.commit({ ...READER, workspaceId: 'ws_2' }, [noted('a')]);
    expect(position).toEqual({ lane: 0, seq: 1 });
  });

  it('is known to have its lanes: nobody looks again, and they are used though races are lost', async () => {
    const trail = await openedBy(newTrail());
    clock.advance(10 * MINUTE);
    await loseRaces(trail, 20);
    calls.length = 0;
    expect(await trail.commit(READER, [noted('first')])).toEqual([{ lane: home('first'), seq: 2 }]);
    expect(calls).toEqual(['ledger.lastRow', 'ledger.append']);
  });

  it('whose lanes others opened is recognized after one lost race', async () => {
    await openedBy(newTrail());
    const late = newTrail();
    expect(await late.commit(READER, [noted('first')])).toMatchObject([{ lane: PRINCIPAL_LANE }]);
    await loseRaces(late, 1);
    expect(await late.commit(READER, [noted('first')])).toEqual([{ lane: home('first'), seq: 2 }]);
    expect(openings()).toHaveLength(FEW.extraLanes);
  });
});

describe('opening lanes', () => {
  it('at once in two instances is done once, and both use what was opened', async () => {
    const trails = [newTrail(), newTrail({ ...FEW, extraLanes: 9 }), newTrail()];
    for (const trail of trails) await loseRaces(trail, FEW.contendedAfter);
    const positions = await Promise.all(trails.map((trail) => trail.commit(READER, [noted('a')])));
    const { length } = openings();
    expect([FEW.extraLanes, 9]).toContain(length);
    const lane = extraLaneFor({ type: 'note', id: 'a' }, length);
    expect(positions.flat().toSorted((a, b) => a.seq - b.seq)).toEqual(
      [1, 2, 3].map((seq) => ({ lane, seq })),
    );
    expect(extraRows(lane)).toHaveLength(3);
  });

  it('at once in one instance is done by one request, and the others do not wait for it', async () => {
    const trail = newTrail();
    await loseRaces(trail, FEW.contendedAfter);
    const positions = await Promise.all(['a', 'b', 'c'].map((id) => trail.commit(READER, [noted(id)])));
    expect(positions.flat().map(({ lane }) => lane)).toEqual([home('a'), 0, 0]);
    expect(openings()).toHaveLength(FEW.extraLanes);
  });

  it('by an instance that dies then leaves lanes that others use', async () => {
    const dying = newTrail();
    await loseRaces(dying, FEW.contendedAfter);
    tables.answers = ({ name }) => (name === 'ledger.append' ? new Promise(() => {}) : Promise.resolve());
    void dying.commit(READER, [noted('never answered')]);
    await new Promise(setImmediate);
    tables.answers = async () => undefined;
    expect(openings()).toHaveLength(FEW.extraLanes);
    expect([2, 3, 4].flatMap(extraRows)).toEqual([]);

    const heir = newTrail();
    await loseRaces(heir, FEW.contendedAfter);
    await heir.commit(READER, [noted('a')]);
    expect(openings()).toHaveLength(FEW.extraLanes);
    expect(extraRows(home('a'))).toHaveLength(1);
  });

  it('with an answer that is lost happens once', async () => {
    const trail = newTrail();
    await loseRaces(trail, FEW.contendedAfter);
    script = ['after', 'after'];
    await trail.commit(READER, [noted('a')]);
    expect(openings()).toHaveLength(FEW.extraLanes);
    expect(extraRows(home('a'))).toHaveLength(1);
  });

  it('that fails keeps nothing from being recorded, and is tried again when races are lost again', async () => {
    const trail = newTrail();
    await loseRaces(trail, FEW.contendedAfter);
    script = Array.from({ length: 10 }, () => 'before');
    expect(await trail.commit(READER, [noted('a')])).toEqual([{ lane: 0, seq: 2 }]);
    expect(await trail.commit(READER, [noted('a')])).toEqual([{ lane: 0, seq: 3 }]);
    await openedBy(trail);
    expect(openings()).toHaveLength(FEW.extraLanes);
  });
});

describe('recording goes on', () => {
  it.each([
    ['does not answer', 'unavailable'],
    ['is damaged', 'internal'],
  ] as const)('in lane 0 where the set of lanes %s', async (_, code) => {
    await openedBy(newTrail());
    const ledger: Ledger = {
      ...tables.ledger,
      extraLanes: async () => {
        throw new VaultError(code, 'No set.');
      },
    };
    const trail = newTrail(FEW, ledger);
    await loseRaces(trail, FEW.contendedAfter);
    expect(await trail.commit(READER, [noted('a')])).toMatchObject([{ lane: PRINCIPAL_LANE }]);
  });

  it.each([
    ['spoiled', (tamperer: Tamperer, seq: number) => tamperer.editBytes(ORIGIN, seq, () => '?', true)],
    ['removed', (tamperer: Tamperer, seq: number) => tamperer.removeRow(ORIGIN, seq)],
  ])('after the row that opened an empty lane was %s: the lane is opened once more', async (_, spoil) => {
    const trail = await openedBy(newTrail());
    const id = ['a', 'b', 'c', 'd'].find((one) => home(one) !== home('first')) ?? '';
    const { openedBy: seq } =
      (await tables.ledger.extraLanes(WORKSPACE)).find(({ lane }) => lane === home(id)) ?? {};
    spoil(new Tamperer(tables), seq ?? 0);
    expect(await trail.commit(READER, [noted(id)])).toEqual([{ lane: home(id), seq: 1 }]);
    const [row] = tables.lane({ workspaceId: WORKSPACE, lane: home(id) });
    const last = tables.lane(ORIGIN).at(-1);
    expect(JSON.parse(Buffer.from(row?.bytes ?? []).toString()).prev).toBe(last?.hash);
  });

  it('though the set was taken away: who knows the lanes goes on in them, who does not stays in lane 0', async () => {
    const trail = await openedBy(newTrail());
    new Tamperer(tables).removeEntity(laneSetKind.name, WORKSPACE);
    expect(await trail.commit(READER, [noted('first')])).toEqual([{ lane: home('first'), seq: 2 }]);
    const other = newTrail();
    await loseRaces(other, 1);
    expect(await other.commit(READER, [noted('first')])).toMatchObject([{ lane: PRINCIPAL_LANE }]);
  });
});

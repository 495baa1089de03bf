import type { Origin } from '../../../core/audit/event.ts';
import { DEFAULT_LANE_POLICY, type LanePolicy } from '../../../core/audit/lane-choice.ts';
import { FIRST_EXTRA_LANE } from '../../../core/audit/lane-set.ts';
import { laneStart } from '../../../core/audit/lane-start.ts';
import type { Ledger } from '../../../core/audit/ledger.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { Change } from '../../../core/kernel/entity.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, noted, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const COMMITS = 30;

const WRITERS = [4, 16];
const READER: Origin = { ...ORIGIN, actor: { type: 'api_key', id: 'key_1' } };

/** Function instances that know of each other only by the table, two to four milliseconds away from it in each direction. */
class Instances {
  readonly tables = new MemoryTables();
  readonly time = new VirtualTime();
  readonly names: readonly (readonly string[])[];
  /** How often rows of extra lanes were put, in vain or not. */
  extraPuts = 0;
  readonly #network: SeededRandom;
  readonly #pause: number;

  /** @param pause between the commits of one instance, at most, in milliseconds. */
  constructor(count: number, pause = 20) {
    this.#pause = pause;
    this.#network = new SeededRandom(count);
    const travel = () => this.time.sleep(2 + this.#network.below(3));
    this.tables.faults = async () => {
      await travel();
      return 'none';
    };
    this.tables.answers = travel;
    this.names = Array.from({ length: count }, (_, writer) =>
      Array.from({ length: COMMITS }, (_, index) => `w${writer}-${index}`),
    );
  }

  /** Each commits its events, one after the other. */
  async write(
    origin: Origin,
    changesOf: (id: string, index: number) => readonly Change[],
    lanePolicy: LanePolicy,
  ): Promise<void> {
    const ledger: Ledger = {
      ...this.tables.ledger,
      append: (rows, changes) => {
        if (rows.some(({ lane }) => lane >= FIRST_EXTRA_LANE)) this.extraPuts += 1;
        return this.tables.ledger.append(rows, changes);
      },
    };
    const write = async (ids: readonly string[], writer: number): Promise<void> => {
      const random = new SeededRandom(1_000 + writer);
      const trail = createAuditTrail({ ledger, clock: this.time, random, lanePolicy });
      for (const [index, id] of ids.entries()) {
        await trail.commit(origin, [noted(id, ...changesOf(id, index))]);
        await this.time.sleep(this.#network.below(this.#pause));
      }
    };
    await this.time.run(Promise.all(this.names.map(write)));
  }
}

it.each(WRITERS)(
  '%i function instances at one lane all get their rows, and none is told to come back',
  async (writers) => {
    const instances = new Instances(writers);
    const { tables, names } = instances;
    // Every other one changes something besides.
    const changesOf = (id: string, index: number) => (index % 2 === 0 ? [createNote(id)] : []);
    await instances.write(ORIGIN, changesOf, { contendedAfter: Number.POSITIVE_INFINITY, extraLanes: 1 });

    const written = checkedLane(tables, ORIGIN).map(({ entity }) => entity.id);
    expect(written.toSorted()).toEqual(names.flat().toSorted());
    for (const ids of names) expect(written.filter((id) => ids.includes(id))).toEqual(ids);
    expect(tables.entities.size).toBe((writers * COMMITS) / 2);
  },
);

it.each(WRITERS)(
  "%i function instances that are in each other's way come to use more lanes",
  async (writers) => {
    const instances = new Instances(writers);
    const { tables, time, names } = instances;
    await instances.write(READER, () => [], { contendedAfter: 4, extraLanes: 3 });

    const others: AuditRow[] = [];
    const trail = createAuditTrail({ ledger: tables.ledger, clock: time, random: new SeededRandom(1) });
    for (const lane of [2, 3, 4]) {
      const ref = { workspaceId: WORKSPACE, lane };
      const start = await time.run(laneStart(tables.ledger, trail, ref));
      others.push(...checkedLane(tables, ref, start));
    }
    const principals = checkedLane(tables, ORIGIN).filter(({ action }) => action !== 'lane.opened');
    const written = [...principals, ...others].map(({ entity }) => entity.id);
    expect(written.toSorted()).toEqual(names.flat().toSorted());
    expect(others.length).toBeGreaterThan(principals.length);
  },
);

/** The target of the benchmark for what a row costs; a put that fails costs as much as one that does not. */
const MOST_PUTS = 1.4;

it('32 function instances that have more lanes seldom put a row in vain', async () => {
  const instances = new Instances(32, 100);
  const { tables, names } = instances;
  await instances.write(READER, () => [], DEFAULT_LANE_POLICY);
  const rows = [...tables.rows.values()].filter(({ lane }) => lane >= FIRST_EXTRA_LANE).length;
  expect(rows).toBeGreaterThan((names.flat().length * 2) / 3);
  expect(instances.extraPuts / rows).toBeLessThan(MOST_PUTS);
});

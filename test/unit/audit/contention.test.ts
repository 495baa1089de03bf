import type { Origin } from '../../../core/audit/event.ts';
import type { LanePolicy } from '../../../core/audit/lane-choice.ts';
import { laneStart } from '../../../core/audit/lane-start.ts';
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

/** Function instances that know of each other only by the table, two to four milliseconds away from it in each direction. */
class Instances {
  readonly tables = new MemoryTables();
  readonly time = new VirtualTime();
  readonly names: readonly (readonly string[])[];
  readonly #network: SeededRandom;

  constructor(count: number) {
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
    const write = async (ids: readonly string[], writer: number): Promise<void> => {
      const random = new SeededRandom(1_000 + writer);
      const trail = createAuditTrail({ ledger: this.tables.ledger, clock: this.time, random, lanePolicy });
      for (const [index, id] of ids.entries()) {
        await trail.commit(origin, [noted(id, ...changesOf(id, index))]);
        await this.time.sleep(this.#network.below(20));
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
    const reader: Origin = { ...ORIGIN, actor: { type: 'api_key', id: 'key_1' } };
    await instances.write(reader, () => [], { contendedAfter: 4, extraLanes: 3 });

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

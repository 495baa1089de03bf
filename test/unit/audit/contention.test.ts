import { createAuditTrail } from '../../../core/audit/trail.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { createNote, noted, ORIGIN } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';
import { VirtualTime } from '../../support/virtual-time.ts';

const COMMITS = 30;

/** Writers that know of each other only by the table, two to four milliseconds away from it in each direction. */
it.each([4, 16])(
  '%i function instances at one lane all get their rows, and none is told to come back',
  async (writers) => {
    const time = new VirtualTime();
    const tables = new MemoryTables();
    const network = new SeededRandom(writers);
    const travel = () => time.sleep(2 + network.below(3));
    tables.faults = async () => {
      await travel();
      return 'none';
    };
    tables.answers = travel;

    const names = Array.from({ length: writers }, (_, writer) =>
      Array.from({ length: COMMITS }, (_, index) => `w${writer}-${index}`),
    );
    const write = async (ids: readonly string[], writer: number): Promise<void> => {
      const random = new SeededRandom(1_000 + writer);
      const trail = createAuditTrail({ ledger: tables.ledger, clock: time, random });
      // Every other one changes something besides.
      for (const [index, id] of ids.entries()) {
        await trail.commit(ORIGIN, [noted(id, ...(index % 2 === 0 ? [createNote(id)] : []))]);
        await time.sleep(network.below(20));
      }
    };
    await time.run(Promise.all(names.map(write)));

    const written = checkedLane(tables, ORIGIN).map(({ entity }) => entity.id);
    expect(written.toSorted()).toEqual(names.flat().toSorted());
    for (const ids of names) expect(written.filter((id) => ids.includes(id))).toEqual(ids);
    expect(tables.entities.size).toBe((writers * COMMITS) / 2);
  },
);

import { append } from '../../core/audit/append.ts';
import { buildRows, type Head, headAfter } from '../../core/audit/build-rows.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import type { Ledger, StoredRow } from '../../core/audit/ledger.ts';
import { GENESIS_HASH } from '../../core/audit/row.ts';
import { checkedLane } from './check-lane.ts';
import { FakeClock } from './clock.ts';
import { type Fault, MemoryTables } from './memory-ledger.ts';
import { type Note, noted, noteKind, ORIGIN, WORKSPACE } from './notes.ts';
import { SeededRandom } from './random.ts';

/** Before the first row of a lane. */
export const EMPTY: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };

/** One writer at tables of its own, with a script of what happens to its calls. */
export class AppendBench {
  readonly tables = new MemoryTables();
  readonly clock = new FakeClock();
  /** The calls of the ledger in order. */
  readonly calls: string[] = [];
  /** For each append, the hashes of the rows sent. */
  readonly sent: string[][] = [];
  readonly #random = new SeededRandom(1);

  append(events: readonly AuditEvent[], head = EMPTY): ReturnType<typeof append> {
    const ledger: Ledger = {
      ...this.tables.ledger,
      append: (rows, changes) => {
        this.sent.push(rows.map(({ hash }) => hash));
        return this.tables.ledger.append(rows, changes);
      },
    };
    const findHead = async (): Promise<Head> => {
      const last = await ledger.lastRow(ORIGIN);
      return last === undefined ? EMPTY : headAfter(last);
    };
    const parts = { ledger, clock: this.clock, random: this.#random };
    return append(parts, { origin: ORIGIN, events, head, findHead });
  }

  /** What happens to the next calls in turn; afterwards all goes well. Forgets the calls so far. */
  script(...faults: Fault[]): void {
    this.calls.length = 0;
    this.tables.faults = async ({ name }) => {
      this.calls.push(name);
      return faults.shift() ?? 'none';
    };
  }

  /** Somebody else's rows, straight into the tables; gives the last. */
  async others(count: number, head = EMPTY): Promise<StoredRow> {
    const events = Array.from({ length: count }, (_, index) => noted(`other${index}`));
    const { rows } = buildRows(head, ORIGIN, events, this.clock.now(), this.#random);
    await this.tables.ledger.append(rows, []);
    return rows[count - 1] as StoredRow;
  }

  ids(): string[] {
    return checkedLane(this.tables, ORIGIN).map(({ entity }) => entity.id);
  }

  note(id: string): Promise<Note | undefined> {
    return this.tables.store.get(noteKind, WORKSPACE, id);
  }
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was expected to fail.');
    },
    (error: unknown) => error,
  );
}

import { append, RefusedChanges } from '../../../core/audit/append.ts';
import { buildRows, type Head, headAfter } from '../../../core/audit/build-rows.ts';
import type { AuditEvent } from '../../../core/audit/event.ts';
import type { Ledger, StoredRow } from '../../../core/audit/ledger.ts';
import { GENESIS_HASH } from '../../../core/audit/row.ts';
import { check, update } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { checkedLane } from '../../support/check-lane.ts';
import { FakeClock } from '../../support/clock.ts';
import { type Fault, MemoryTables, rowKey } from '../../support/memory-ledger.ts';
import { createNote, type Note, noted, noteKind, ORIGIN, WORKSPACE } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

const EMPTY: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };

/** One writer at tables of its own, with a script of what happens to its calls. */
class Bench {
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

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
  bench.script();
});

it('appends with one call and no wait when nothing is in the way', async () => {
  const { rows, head } = await bench.append([noted('a', createNote('a')), noted('b')]);
  expect(bench.calls).toEqual(['ledger.append']);
  expect(bench.clock.sleeps).toEqual([]);
  expect(bench.ids()).toEqual(['a', 'b']);
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(head).toMatchObject({ seq: 2, hash: rows[1]?.hash });
});

it('points each entity at the row of the event that explains it', async () => {
  await bench.append([
    noted('a'),
    noted('b', createNote('b1'), createNote('b2')),
    noted('c', createNote('c1')),
  ]);
  const pointers = [...bench.tables.entities.values()].map(({ entity, row }) => [entity.id, row.seq]);
  expect(pointers).toEqual([
    ['b1', 2],
    ['b2', 2],
    ['c1', 3],
  ]);
});

describe('an answer that is lost', () => {
  it.each([1, 2, 5, 9])('%i times before it took effect: the same bytes are sent again', async (times) => {
    bench.script(...Array<Fault>(times).fill('before'));
    await bench.append([noted('a', createNote('a')), noted('b')]);
    expect(bench.ids()).toEqual(['a', 'b']);
    expect(bench.sent).toHaveLength(times + 1);
    expect(new Set(bench.sent.map(String)).size).toBe(1);
  });

  it.each([1, 2, 5, 9])(
    'after it took effect, at try %i: the row is recognized as its own',
    async (attempt) => {
      bench.script(...Array<Fault>(attempt - 1).fill('before'), 'after');
      const { rows } = await bench.append([noted('a', createNote('a')), noted('b')]);
      expect(bench.ids()).toEqual(['a', 'b']);
      expect(bench.tables.lane(ORIGIN).map(({ hash }) => hash)).toEqual(rows.map(({ hash }) => hash));
      expect(await bench.note('a')).toMatchObject({ revision: 1 });
    },
  );

  it('again and again after it took effect: still one row', async () => {
    bench.script('after', 'after', 'before', 'after');
    await bench.append([noted('a', createNote('a'))]);
    expect(bench.ids()).toEqual(['a']);
  });

  it('and that takes effect late, between the tries: one row', async () => {
    bench.script('late');
    await bench.append([noted('a', createNote('a'))]);
    expect(bench.ids()).toEqual(['a']);
  });

  it('and that takes effect late, when somebody else has the row: it takes no effect', async () => {
    let land: () => void = () => undefined;
    const landing = new Promise<void>((resolve) => {
      land = resolve;
    });
    bench.tables.answers = ({ name }) => (name.startsWith('late') ? landing : Promise.resolve());
    bench.script('late');
    const appended = bench.append([noted('a', createNote('a'))]);
    await bench.others(1);
    await appended;
    land();
    await landing;
    expect(bench.ids()).toEqual(['other0', 'a']);
  });

  it('while somebody else took the row: moves on with the event once', async () => {
    bench.script('before');
    const appended = bench.append([noted('a')]);
    await bench.others(1);
    await appended;
    expect(bench.ids()).toEqual(['other0', 'a']);
  });
});

describe('a row that is taken', () => {
  it('by one other writer: its successor is tried without another read or a wait', async () => {
    await bench.others(1);
    bench.script();
    await bench.append([noted('a')]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.append']);
    expect(bench.clock.sleeps).toEqual([]);
    expect(bench.ids()).toEqual(['other0', 'a']);
  });

  it('by many: the end of the lane is looked for', async () => {
    await bench.others(7);
    bench.script();
    await bench.append([noted('a')]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.append', 'ledger.lastRow', 'ledger.append']);
    expect(bench.clock.sleeps).toHaveLength(1);
    expect(bench.ids().at(-1)).toBe('a');
  });

  it('never leads back before a row that is known to exist', async () => {
    await bench.others(3);
    const random = new SeededRandom(9);
    const parts = { ledger: bench.tables.ledger, clock: bench.clock, random };
    const staleHead = async (): Promise<Head> => EMPTY;
    await append(parts, { origin: ORIGIN, events: [noted('a')], head: EMPTY, findHead: staleHead });
    expect(bench.ids()).toEqual(['other0', 'other1', 'other2', 'a']);
  });
});

describe('contention', () => {
  it('with nobody in the row: the same bytes are sent again', async () => {
    bench.script('contended');
    await bench.append([noted('a')]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.row', 'ledger.append']);
    expect(new Set(bench.sent.map(String)).size).toBe(1);
    expect(bench.ids()).toEqual(['a']);
  });

  it('with somebody else in the row: moves on at once', async () => {
    await bench.others(1);
    bench.script('contended');
    await bench.append([noted('a')]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.row', 'ledger.append']);
    expect(bench.ids()).toEqual(['other0', 'a']);
  });

  it('with its own earlier try in the row: is done', async () => {
    bench.script('after', 'contended');
    await bench.append([noted('a', createNote('a'))]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.append', 'ledger.row']);
    expect(bench.ids()).toEqual(['a']);
  });

  it('when it cannot be seen who is in the row: tries again', async () => {
    bench.script('contended', 'before', 'none');
    await bench.append([noted('a')]);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.row', 'ledger.append']);
    expect(bench.ids()).toEqual(['a']);
  });
});

describe('changes that are refused', () => {
  const stale = update(noteKind, createNote('old').entity, { text: 'mine' });

  it('are named, and nothing is written', async () => {
    await bench.append([noted('x', createNote('taken'))]);
    const head = headAfter(bench.tables.lane(ORIGIN)[0] as StoredRow);
    const events = [noted('a', createNote('fresh'), stale), noted('b', createNote('taken'))];
    const refusal = await rejection(bench.append(events, head));
    expect(refusal).toBeInstanceOf(RefusedChanges);
    expect(refusal).toMatchObject({ code: 'concurrent_change', ids: ['note/old', 'note/taken'] });
    expect((refusal as RefusedChanges).includes('note')).toBe(true);
    expect((refusal as RefusedChanges).includes('not')).toBe(false);
    expect(bench.ids()).toEqual(['x']);
    expect(await bench.note('fresh')).toBeUndefined();
  });

  it('by a check, too', async () => {
    const events = [noted('a', createNote('fresh'), check(noteKind, createNote('old').entity))];
    expect(await rejection(bench.append(events))).toMatchObject({ ids: ['note/old'] });
    expect(bench.ids()).toEqual([]);
  });

  it('are reported only once the rows are known to be free', async () => {
    await bench.others(2);
    bench.script();
    expect(await rejection(bench.append([noted('a', stale)]))).toBeInstanceOf(RefusedChanges);
    expect(bench.calls).toEqual(['ledger.append', 'ledger.append', 'ledger.lastRow', 'ledger.append']);
    expect(bench.ids()).toEqual(['other0', 'other1']);
  });

  it('are not reported when it was its own earlier try that made the change', async () => {
    bench.script('after');
    await bench.append([noted('a', createNote('mine'))]);
    expect(bench.ids()).toEqual(['a']);
    expect(await bench.note('mine')).toMatchObject({ revision: 1 });
  });
});

describe('giving up', () => {
  it('after ten answers that were lost: nothing written', async () => {
    bench.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    const refusal = await rejection(bench.append([noted('a', createNote('a'))]));
    expect(refusal).toBeInstanceOf(VaultError);
    expect(refusal).toMatchObject({ code: 'unavailable', retryAfter: 2 });
    expect(bench.sent).toHaveLength(10);
    expect(new Set(bench.sent.map(String)).size).toBe(1);
    expect(bench.ids()).toEqual([]);
  });

  it('only after a hundred contended rounds or more, but within eight seconds: nothing written', async () => {
    const start = bench.clock.now();
    bench.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'contended' : 'none');
    const refusal = await rejection(bench.append([noted('a', createNote('a'))]));
    expect(refusal).toMatchObject({ code: 'unavailable', retryAfter: 2 });
    expect(bench.sent.length).toBeGreaterThanOrEqual(100);
    expect(bench.clock.now() - start).toBeLessThan(8_040);
    expect(new Set(bench.sent.map(String)).size).toBe(1);
    expect(bench.ids()).toEqual([]);
  });

  it('only after a hundred rounds or more that were lost to others, but within eight seconds', async () => {
    const start = bench.clock.now();
    bench.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      const [last] = bench.tables.lane(ORIGIN).slice(-1);
      const { rows } = buildRows(
        last === undefined ? EMPTY : headAfter(last),
        ORIGIN,
        [noted('faster')],
        bench.clock.now(),
        new SeededRandom(1_000 + bench.sent.length),
      );
      for (const row of rows) bench.tables.rows.set(rowKey(row, row.seq), row);
      return 'none';
    };
    expect(await rejection(bench.append([noted('a')]))).toMatchObject({ code: 'unavailable' });
    expect(bench.sent.length).toBeGreaterThanOrEqual(100);
    expect(bench.clock.now() - start).toBeLessThan(8_040);
    expect(new Set(bench.ids())).toEqual(new Set(['faster']));
  });

  it('after eight seconds, however few tries there were', async () => {
    bench.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') bench.clock.advance(3_000);
      return 'before';
    };
    expect(await rejection(bench.append([noted('a')]))).toMatchObject({ code: 'unavailable' });
    expect(bench.sent).toHaveLength(3);
  });

  it('keeps the cause for the log', async () => {
    bench.script(...Array<Fault>(10).fill('before'));
    const refusal = await rejection(bench.append([noted('a')]));
    expect(refusal).toMatchObject({ cause: { code: 'unavailable', message: 'ledger.append was lost.' } });
  });

  it('waits between tries, at random up to a bound that doubles to half a second', async () => {
    bench.script(...Array<Fault>(10).fill('before'));
    await rejection(bench.append([noted('a')]));
    const bounds = [20, 40, 80, 160, 320, 500, 500, 500, 500];
    for (const [index, bound] of bounds.entries()) {
      expect(bench.clock.sleeps[index]).toBeGreaterThanOrEqual(0);
      expect(bench.clock.sleeps[index]).toBeLessThan(bound);
    }
    expect(new Set(bench.clock.sleeps).size).toBeGreaterThan(4);
  });

  it('waits only shortly between rounds that were lost to others', async () => {
    bench.script(
      ...Array<Fault>(20)
        .fill('contended')
        .flatMap((fault): Fault[] => [fault, 'none']),
    );
    await bench.append([noted('a')]);
    expect(bench.clock.sleeps).toHaveLength(19);
    expect(Math.max(...bench.clock.sleeps)).toBeLessThan(40);
    expect(new Set(bench.clock.sleeps).size).toBeGreaterThan(4);
  });
});

it('takes 100 items in one transaction', async () => {
  const events = Array.from({ length: 100 }, (_, index) => noted(`e${index}`));
  await bench.append(events);
  expect(bench.ids()).toEqual(events.map(({ entity }) => entity.id));
  expect(bench.calls).toEqual(['ledger.append']);
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('It was expected to fail.');
    },
    (error: unknown) => error,
  );
}

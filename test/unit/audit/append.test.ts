import { append, RefusedChanges } from '../../../core/audit/append.ts';
import { type Head, headAfter } from '../../../core/audit/build-rows.ts';
import type { StoredRow } from '../../../core/audit/ledger.ts';
import { check, update } from '../../../core/kernel/entity.ts';
import { AppendBench, EMPTY, rejection } from '../../support/append-bench.ts';
import type { Fault } from '../../support/memory-ledger.ts';
import { createNote, noted, noteKind, ORIGIN } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

let bench: AppendBench;
beforeEach(() => {
  bench = new AppendBench();
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

it.each([
  ['nobody was in the way', 0, 0],
  ['one other writer was', 1, 1],
  ['many were', 7, 2],
])('tells how many races it lost: %s', async (_, others, defeats) => {
  if (others > 0) await bench.others(others);
  expect(await bench.append([noted('a')])).toMatchObject({ defeats });
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

it('takes 100 items in one transaction', async () => {
  const events = Array.from({ length: 100 }, (_, index) => noted(`e${index}`));
  await bench.append(events);
  expect(bench.ids()).toEqual(events.map(({ entity }) => entity.id));
  expect(bench.calls).toEqual(['ledger.append']);
});

import { buildRows, headAfter } from '../../../core/audit/build-rows.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { AppendBench, EMPTY, rejection } from '../../support/append-bench.ts';
import { type Fault, rowKey } from '../../support/memory-ledger.ts';
import { createNote, noted, ORIGIN } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

let bench: AppendBench;
beforeEach(() => {
  bench = new AppendBench();
  bench.script();
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

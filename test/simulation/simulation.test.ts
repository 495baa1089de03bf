import { execFile } from 'node:child_process';
import { runHistory } from './history.ts';

/** In processes of their own: outside of jest's sandbox they take less time, and two keep two cores busy. */
const PROCESSES = 2;
const HISTORIES_EACH = 1_000;
const TIME_LIMIT_MS = 600_000;

it(
  `keeps every promise in ${PROCESSES * HISTORIES_EACH} histories, in which every call meets every fault`,
  async () => {
    const seeds = Array.from({ length: PROCESSES }, (_, index) => 1 + index * HISTORIES_EACH);
    const abort = new AbortController();
    const outputs = await Promise.all(
      seeds.map((seed) => simulate(HISTORIES_EACH, seed, abort.signal)),
    ).finally(() => abort.abort());
    const [first = [], ...others] = outputs.map(neverMet);
    expect(first.filter((name) => others.every((names) => names.includes(name)))).toEqual([]);
  },
  TIME_LIMIT_MS,
);

it('plays a history from its seed alone', async () => {
  const [first, second] = [await runHistory(7), await runHistory(7)];
  expect(second.world.evidence.exchanges).toEqual(first.world.evidence.exchanges);
  expect([...second.world.tables.rows]).toEqual([...first.world.tables.rows]);
  const other = await runHistory(8);
  expect([...other.world.tables.rows]).not.toEqual([...first.world.tables.rows]);
});

/** What `npm run simulate` prints; if it fails, that is the error: it names the seed and says how to replay it. */
function simulate(histories: number, seed: number, signal: AbortSignal): Promise<string> {
  const options = ['--histories', String(histories), '--seed', String(seed)];
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', 'test/simulation/simulate.ts', ...options],
      { signal },
      (error, output, complaints) =>
        error === null ? resolve(output) : reject(new Error(complaints || error.message)),
    );
  });
}

function neverMet(output: string): string[] {
  const names = /^Never met: (.*)$/m.exec(output)?.[1];
  if (names === undefined) throw new Error(`The simulation did not tell what it never met:\n${output}`);
  return names === '' ? [] : names.split(', ');
}

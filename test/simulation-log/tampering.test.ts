import { execFile } from 'node:child_process';

/** In processes of their own: outside of jest's sandbox they take less time, and two keep two cores busy. */
const PROCESSES = 2;
const EDITS_EACH = 50_000;
const TIME_LIMIT_MS = 600_000;

it(
  `both verifiers find each of ${PROCESSES * EDITS_EACH} edits at its place, and nothing in honest logs`,
  async () => {
    const abort = new AbortController();
    const seeds = Array.from({ length: PROCESSES }, (_, index) => index + 1);
    const counts = await Promise.all(seeds.map((seed) => tamper(seed, abort.signal))).finally(() =>
      abort.abort(),
    );
    const total = new Map<string, number>();
    for (const [name, made] of counts.flatMap(Object.entries<number>))
      total.set(name, (total.get(name) ?? 0) + made);
    const sum = [...total.values()].reduce((before, made) => before + made, 0);
    const lines = [...total].map(([name, made]) => `${String(made).padStart(7)}  ${name}`);
    process.stdout.write(`Edits made, and all of them found:\n${lines.join('\n')}\n${sum} in all\n`);
    expect(sum).toBe(PROCESSES * EDITS_EACH);
    expect(Math.min(...total.values())).toBeGreaterThan(1_000);
  },
  TIME_LIMIT_MS,
);

/** How many edits of each kind were made. One that is not found is the error: it names the place and the seed. */
function tamper(seed: number, signal: AbortSignal): Promise<{ readonly [name: string]: number }> {
  const program = ['--import', 'tsx', 'test/simulation-log/tamper.ts', String(EDITS_EACH), String(seed)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, program, { signal }, (error, output, complaints) =>
      error === null ? resolve(JSON.parse(output)) : reject(new Error(complaints || error.message)),
    );
  });
}

import { parseArgs } from 'node:util';
import { bursts } from './bursts.ts';
import { addCoverage, type Coverage, coverageTable, uncovered } from './faults.ts';
import { runHistory, type Tally, tally } from './history.ts';
import { operations, peopleOperations } from './operations.ts';

/** `npm run simulate -- --histories N --seed S`: plays N histories, of the seeds S, S+1, …, and stops at a broken promise. */
const { values } = parseArgs({
  options: { histories: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const histories = wholeNumber('histories', values.histories);
const firstSeed = wholeNumber('seed', values.seed);
const REPORT_EVERY = 500;

const coverage: Coverage = new Map();
const counts: Tally = new Map(
  [...operations, ...bursts].map(({ name }) => [name, { done: 0, succeeded: 0 }]),
);
let requests = 0;
for (let played = 0; played < histories; played += 1) {
  const report = await runHistory(firstSeed + played);
  if (report.violations.length > 0) {
    console.error(`The history of seed ${report.seed} broke promises:\n${report.violations.join('\n')}`);
    console.error(`Replay it with: npm run simulate -- --histories 1 --seed ${report.seed}`);
    process.exit(1);
  }
  addCoverage(coverage, report.coverage);
  for (const [name, { done, succeeded }] of report.operations) tally(counts, name, done, succeeded);
  requests += report.world.evidence.exchanges.length;
  if ((played + 1) % REPORT_EVERY === 0)
    console.log(`${played + 1} histories, ${requests} requests: all promises kept`);
}

console.log(`\nHow often each call met each fault:\n${coverageTable(coverage)}`);
console.log(
  '\nHow often each operation was done and, where that is no matter of course, came to what it is about:',
);
const succeeding = new Set([...peopleOperations, ...bursts].map(({ name }) => name));
for (const [name, { done, succeeded }] of [...counts].sort(([, a], [, b]) => b.done - a.done))
  console.log(
    `${name.padEnd(40)}${String(done).padStart(6)}${succeeding.has(name) ? String(succeeded).padStart(8) : ''}`,
  );
const undone = [...counts].flatMap(([name, { done, succeeded }]) => {
  if (done === 0) return [name];
  return succeeded === 0 && succeeding.has(name) ? [`${name}, with success`] : [];
});
console.log(`\nNever met: ${[...uncovered(coverage), ...undone].join(', ')}`);
console.log(`${histories} histories with ${requests} requests kept every promise.`);

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  console.error(`--${name} wants a whole number, as in: npm run simulate -- --histories 1000 --seed 1`);
  process.exit(2);
}

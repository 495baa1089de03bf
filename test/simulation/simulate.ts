import { parseArgs } from 'node:util';
import { addCoverage, type Coverage, coverageTable, uncovered } from './faults.ts';
import { runHistory } from './history.ts';
import { operations } from './operations.ts';

/** `npm run simulate -- --histories N --seed S`: plays N histories, of the seeds S, S+1, …, and stops at a broken promise. */
const { values } = parseArgs({
  options: { histories: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const histories = wholeNumber('histories', values.histories);
const firstSeed = wholeNumber('seed', values.seed);
const REPORT_EVERY = 500;

const coverage: Coverage = new Map();
const done = new Map<string, number>(operations.map(({ name }) => [name, 0]));
let requests = 0;
for (let played = 0; played < histories; played += 1) {
  const report = await runHistory(firstSeed + played);
  if (report.violations.length > 0) {
    console.error(`The history of seed ${report.seed} broke promises:\n${report.violations.join('\n')}`);
    console.error(`Replay it with: npm run simulate -- --histories 1 --seed ${report.seed}`);
    process.exit(1);
  }
  addCoverage(coverage, report.coverage);
  for (const [name, times] of report.operations) done.set(name, (done.get(name) ?? 0) + times);
  requests += report.world.evidence.exchanges.length;
  if ((played + 1) % REPORT_EVERY === 0)
    console.log(`${played + 1} histories, ${requests} requests: all promises kept`);
}

console.log(`\nHow often each call met each fault:\n${coverageTable(coverage)}`);
console.log('\nHow often each operation was done:');
for (const [name, times] of [...done].sort(([, a], [, b]) => b - a))
  console.log(`${name.padEnd(28)}${times}`);
const undone = [...done].flatMap(([name, times]) => (times === 0 ? [name] : []));
console.log(`\nNever met: ${[...uncovered(coverage), ...undone].join(', ')}`);
console.log(`${histories} histories with ${requests} requests kept every promise.`);

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  console.error(`--${name} wants a whole number, as in: npm run simulate -- --histories 1000 --seed 1`);
  process.exit(2);
}

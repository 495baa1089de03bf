import { playHistory } from './history.ts';
import { neverMet } from './faults.ts';
const coverage = new Set<string>();
const first = Number(process.argv[2] ?? 1), count = Number(process.argv[3] ?? 10);
const t0 = process.cpuUsage();
let bad = 0, rows = 0, steps = 0;
for (let seed = first; seed < first + count; seed++) {
  const r = await playHistory(seed, coverage);
  rows += r.world.evidence.rows.length; steps += r.world.scheduler.step;
  if (r.violations.length) { bad++; console.log('seed', seed, r.violations.slice(0, 6).map(v => v.slice(0, 600)).join('\n   ')); if (bad > 5) break; }
}
const t = process.cpuUsage(t0);
console.log('cpu s', (t.user + t.system) / 1e6, 'rows', rows, 'steps', steps, 'bad', bad);
console.log(neverMet(coverage).length, neverMet(coverage).slice(0,20).join(', '));

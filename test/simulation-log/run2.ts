import { playSmallHistory } from './small-history.ts';
import { FAULTS } from './faults.ts';
const { calls, violations } = await playSmallHistory();
console.log(calls.length, violations); 
const counts: Record<string, number> = {}; for (const c of calls) counts[c] = (counts[c] ?? 0) + 1; console.log(counts);
const t0 = process.cpuUsage(); let n = 0, bad = 0;
for (const fault of FAULTS.filter(f => f !== 'none')) for (let at = 1; at <= calls.length; at++) {
  const r = await playSmallHistory(at, fault); n++;
  if (r.violations.length) { bad++; if (bad < 12) console.log(fault, at, calls[at-1], r.violations.map(v=>v.slice(0,400))); }
}
const t = process.cpuUsage(t0); console.log(n, 'cpu', (t.user+t.system)/1e6, 'bad', bad);

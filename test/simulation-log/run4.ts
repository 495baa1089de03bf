import { playHistory } from './history.ts';
import { mutants } from './mutants.ts';
for (const m of mutants) {
  let caught = 0; let first = ''; const t0 = process.cpuUsage();
  for (let seed = 1; seed <= 60 && !caught; seed++) {
    try { const r = await playHistory(seed, new Set(), m);
      const v = r.violations.find(x => m.caughtBy.test(x)); if (v) { caught = seed; first = v; } else if (r.violations.length) console.log('   other', seed, r.violations.slice(0,2).map(x=>x.slice(0,200)));
    } catch (e) { console.log(String(e).slice(0,300)); break; }
  }
  const t = process.cpuUsage(t0);
  console.log(caught, m.name, '|', first.slice(0, 160), '|', ((t.user+t.system)/1e6).toFixed(1));
}

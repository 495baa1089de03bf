import { FAULTS } from './faults.ts';
import { SCENES, worldsOfScenes, callsOfScene, playWithFault } from './small-history.ts';
const worlds = await worldsOfScenes();
const t0 = process.cpuUsage(); let n = 0, bad = 0;
for (const [k, scene] of SCENES.entries()) {
  const calls = await callsOfScene(worlds[k]!, scene);
  console.log(scene.name, calls.length);
  for (const fault of FAULTS.filter(f => f !== 'none' && f !== 'slow')) for (let at = 1; at <= calls.length; at++) {
    const r = await playWithFault(worlds[k]!, scene, at, fault); n++;
    if (r.violations.length) { bad++; if (bad < 12) console.log(fault, at, calls[at-1], r.violations.map(v=>v.slice(0,400))); }
  }
}
const t = process.cpuUsage(t0); console.log(n, 'cpu', (t.user+t.system)/1e6, 'bad', bad);

import { SeededRandom } from '../support/random.ts';
import { EDITS } from './edits.ts';
import { offlineJudge, vaultJudge } from './judges.ts';
import { SealedLog } from './sealed-log.ts';
const per = Number(process.argv[2] ?? 200), size = Number(process.argv[3] ?? 12);
const random = new SeededRandom(5);
const logs = []; for (let i = 1; i <= 20; i++) { const log = await new SealedLog(i).make(size + random.below(6)); logs.push({ log, vault: await vaultJudge(log), offline: await offlineJudge(log) }); }
for (const l of logs) { const a = await l.vault(), b = await l.offline(); if (a || b) console.log('honest', a, b); }
let tv = 0, to = 0, n = 0;
for (const kind of EDITS) {
  let made = 0, v = 0, o = 0; const ex: string[] = [];
  for (let i = 0; i < per; i++) {
    const l = logs[i % 20]!; l.log.restore(); const e = kind.apply(l.log, random); if (!e) continue; made++; n++;
    let t = performance.now(); const a = await l.vault(); tv += performance.now() - t; t = performance.now(); const b = await l.offline(); to += performance.now() - t;
    if (a === e.place) v++; if (b === (e.isInRows ? e.place : undefined)) o++; 
    if ((a !== e.place || b !== (e.isInRows ? e.place : undefined)) && ex.length < 4) ex.push(`${i}: ${e.place} vault ${a} offline ${b} of ${l.log.leaves.map(r=>r.lane+'-'+r.seq).join(' ')}`);
    l.log.restore();
  }
  console.log(kind.name, made, v, o, ex);
}
console.log('vault ms', tv / n, 'offline ms', to / n);

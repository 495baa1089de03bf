import { expect } from 'expect';
(globalThis as any).expect = expect;
const { playHistory } = await import('./history.ts');
const [from, count] = process.argv.slice(2).map(Number) as [number, number];
const actions = new Map<string, number>();
const outcomes = new Map<string, number>();
let bad = 0;
const started = process.cpuUsage();
let commits = 0;
for (let seed = from; seed < from + count; seed += 1) {
  try {
    const { violations, world } = await playHistory(seed, new Set());
    commits += world.evidence.commits.length;
    for (const { rows } of world.evidence.commits) for (const row of rows) { const k = `${row.action} ${row.result} ${row.detail['count'] === undefined ? '' : row.detail['count'] === '0' ? '0' : 'n'}`; actions.set(k, (actions.get(k) ?? 0) + 1); }
    for (const { kind, outcome } of world.evidence.requests) { const k = `${kind}: ${outcome === 'died' ? 'died' : 'code' in outcome ? outcome.code : 'ok'}`; outcomes.set(k, (outcomes.get(k) ?? 0) + 1); }
    if (violations.length > 0) { bad += 1; console.log(seed, violations.length, violations.slice(0, 4)); }
  } catch (error) { bad += 1; console.log(seed, 'threw', error); }
}
console.log({ bad, count, commits, ms: process.cpuUsage(started).user / 1000 / count });
if (process.argv[4]) { console.log([...actions].sort()); console.log([...outcomes].sort()); }

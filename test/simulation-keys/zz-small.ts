import { expect } from 'expect';
(globalThis as any).expect = expect;
const { playSmall, playRestoredBetween } = await import('./history.ts');
for (let seed = 1; seed <= 10; seed += 1) { const { violations } = await playRestoredBetween(seed); console.log(seed, violations.length, violations[0]); }
const { calls, violations } = await playSmall();
console.log(calls.length, [...new Set(calls)], violations);
const t = Date.now();
const { FAULTS } = await import('../simulation-log/faults.ts');
for (const [index] of calls.entries()) for (const fault of FAULTS) { if (fault === 'none') continue; const { violations } = await playSmall(index + 1, fault); if (violations.length) console.log(index, calls[index], fault, violations.slice(0, 3)); }
console.log(Date.now() - t);

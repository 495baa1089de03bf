import { expect } from 'expect';
(globalThis as any).expect = expect;
const { playHistory } = await import('./history.ts');
const { mutants } = await import('./mutants.ts');
const most = Number(process.argv[2] ?? 100);
for (const { name, broken, caughtBy, story } of mutants) {
  if (process.argv[3] && !name.includes(process.argv[3])) continue;
  const seeds: number[] = []; let other = '';
  for (let seed = 1; seed <= most && seeds.length < 2; seed += 1) {
    try {
      const { violations } = await (story ? story(seed, broken) : playHistory(seed, new Set(), broken));
      if (violations.some((v) => caughtBy.test(v))) seeds.push(seed);
      else if (violations.length) other ||= `${seed}: ${violations[0]}`;
    } catch (error) { other ||= `${seed} threw ${String(error)}`; }
  }
  console.log(name, seeds, other);
}

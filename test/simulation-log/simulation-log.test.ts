import { type Coverage, neverMet } from './faults.ts';
import { playHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { callsOfScene, faultsOf, playWithFault, SCENES, worldsOfScenes } from './small-history.ts';

/** `HISTORIES=1000 SEED=5000 npx jest test/simulation-log/simulation-log` plays more, and others. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 60);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
/** More than any mutant needs. */
const MOST_HISTORIES = 60;
const TIME_LIMIT_MS = 120_000 + 2_000 * HISTORIES;

it(
  `a log with three writers, two sealers, archiver, verifier and retention keeps every promise in ${HISTORIES} histories`,
  async () => {
    const coverage: Coverage = new Set();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed += 1) {
      const { violations } = await playHistory(seed, coverage);
      expect({ seed, violations }).toEqual({ seed, violations: [] });
    }
    if (HISTORIES >= 10_000) expect(neverMet(coverage)).toEqual([]);
  },
  TIME_LIMIT_MS,
);

it('plays a history from its seed alone', async () => {
  const [first, second, other] = [
    await playHistory(7, new Set()),
    await playHistory(7, new Set()),
    await playHistory(8, new Set()),
  ];
  expect(second.world.archive.versions).toEqual(first.world.archive.versions);
  expect(other.world.archive.versions).not.toEqual(first.world.archive.versions);
});

describe('every call in turn goes wrong in every way, and all promises are kept, while', () => {
  it.each(SCENES.map((scene, index) => ({ ...scene, index })))(
    '$name',
    async ({ index, ...scene }) => {
      const before = (await worldsOfScenes())[index];
      if (before === undefined) throw new Error('Each scene begins in a world.');
      const calls = await callsOfScene(before, scene);
      expect(calls.length).toBeGreaterThan(1);
      for (const [number, call] of calls.entries()) {
        for (const fault of faultsOf(call)) {
          const { violations } = await playWithFault(before, scene, number + 1, fault);
          expect({ number, call, fault, violations }).toEqual({ number, call, fault, violations: [] });
        }
      }
    },
    TIME_LIMIT_MS,
  );
});

describe('the checker finds fault with', () => {
  it.each([...mutants])(
    '$name',
    async (mutant) => {
      const { firstSeed = 1 } = mutant;
      for (let seed = firstSeed; seed < firstSeed + MOST_HISTORIES; seed += 1) {
        const { violations } = await playHistory(seed, new Set(), mutant);
        if (violations.some((violation) => mutant.caughtBy.test(violation))) return;
      }
      throw new Error(`${MOST_HISTORIES} histories with this broken part passed.`);
    },
    TIME_LIMIT_MS,
  );
});

import { runHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { laneMutants } from './mutants-lanes.ts';
import { peopleMutants } from './mutants-people.ts';

/** Some show in one history of sixty: with fewer than ten times that, one of them would be missed now and then. */
const MOST_HISTORIES = 600;
const TIME_LIMIT_MS = 300_000;

describe('the checker finds fault with', () => {
  it.each([...mutants, ...laneMutants, ...peopleMutants])(
    '$name',
    async (mutant) => {
      const { firstSeed = 1 } = mutant;
      for (let seed = firstSeed; seed < firstSeed + MOST_HISTORIES; seed += 1) {
        const { violations } = await runHistory(seed, mutant);
        if (violations.some((violation) => mutant.caughtBy.some((name) => violation.startsWith(`${name}:`))))
          return;
      }
      throw new Error(
        `${MOST_HISTORIES} histories of this broken vault passed the checks of ${mutant.caughtBy}.`,
      );
    },
    TIME_LIMIT_MS,
  );
});

import { runHistory } from './history.ts';
import { mutants } from './mutants.ts';
import { laneMutants } from './mutants-lanes.ts';
import { peopleMutants } from './mutants-people.ts';

/** More than any of them needed. */
const MOST_HISTORIES = 150;
const TIME_LIMIT_MS = 120_000;

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

import { type Coverage, neverMet } from '../simulation-log/faults.ts';
import { playHistory } from './history.ts';

/** `HISTORIES=1000 SEED=5000 npx jest test/simulation-keys` plays more, and others. */
const HISTORIES = Number(process.env['HISTORIES'] ?? 60);
const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const TIME_LIMIT_MS = 60_000 + 1_000 * HISTORIES;

it(
  `values move from key to key in ${HISTORIES} histories, and nobody notices`,
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

import { hash } from 'node:crypto';
import { makeMonths } from '../../../bench/support/months.ts';
import { scoreOf } from '../../../bench/support/score-months.ts';
import { watchMonths } from '../../../bench/support/watch-months.ts';
import { allDetectors } from '../../../core/anomaly/detectors.ts';

/** As `bench/anomaly.ts` measures it, for one small workspace. */
const months = makeMonths({ seed: 24, size: 'small', weeks: 18, withAttacks: true, withCoordinates: true });
const watched = watchMonths(allDetectors, months);
const score = scoreOf([{ size: 'small', months, watched }]);

it('every attack that is hidden in months of ordinary work is found', () => {
  const missed = months.attacks.filter((attack) => !watched.foundAt.has(attack)).map(({ name }) => name);
  expect(missed).toEqual([]);
  expect(score.attacks).toBe(19);
});

it('a workspace has at most one false alert a week', () => {
  expect(score.falseAlerts / score.weeks).toBeLessThanOrEqual(1);
});

it('the same seed makes the same months', () => {
  const digest = (seed: number) => {
    const months = makeMonths({ seed, size: 'small', weeks: 1, withAttacks: false, withCoordinates: true });
    const [week = []] = months.weeks();
    return hash('sha256', JSON.stringify(week.map(({ row }) => row)));
  };
  expect(digest(5)).toBe(digest(5));
  expect(digest(5)).not.toBe(digest(6));
});

import { makeMonths } from '../../../bench/support/months.ts';
import { scoreOf } from '../../../bench/support/score-months.ts';
import { watchMonths } from '../../../bench/support/watch-months.ts';
import { allDetectors } from '../../../core/anomaly/detectors.ts';

/** As `bench/anomaly.ts` measures it, for fewer and smaller workspaces. */
const watched = (
  [
    ['small', 11],
    ['medium', 24],
  ] as const
).map(([size, seed]) => {
  const months = makeMonths({ seed, size, weeks: 20, withAttacks: true, withCoordinates: size === 'medium' });
  return { size, months, watched: watchMonths(allDetectors, months) };
});
const score = scoreOf(watched);

it('every attack that is hidden in months of ordinary work is found', () => {
  const missed = watched.flatMap(({ months, watched: { foundAt } }) =>
    months.attacks.filter((attack) => !foundAt.has(attack)).map(({ name }) => name),
  );
  expect(missed).toEqual([]);
  expect(score.attacks).toBe(38);
});

it('a workspace has at most one false alert a week', () => {
  for (const { perWeek } of score.falseByWorkspace) expect(perWeek).toBeLessThanOrEqual(1);
});

it('the same seed makes the same months', () => {
  const make = () =>
    makeMonths({ seed: 5, size: 'small', weeks: 2, withAttacks: false, withCoordinates: true });
  expect([...make().weeks()]).toEqual([...make().weeks()]);
});

import type { Random } from '../../../core/kernel/ports.ts';
import { type Failing, failedOnceMore, isPatienceOver } from '../../../core/siem/backoff.ts';
import { SeededRandom } from '../../support/random.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR = 60 * 60 * 1000;
const lowest = { bytes: (size: number) => new Uint8Array(size) };
const highest = { bytes: (size: number) => new Uint8Array(size).fill(255) };

/** The waits, in seconds, of a webhook that is tried as soon as it may be, until patience ends. */
function waits(random: Random = lowest): number[] {
  const seconds: number[] = [];
  let failing: Failing | undefined;
  let now = NOW;
  for (;;) {
    failing = failedOnceMore(failing, 'timed_out', now, random);
    if (isPatienceOver(failing, now)) return seconds;
    seconds.push(Math.floor((failing.nextAttemptAt - now) / 1000));
    now = failing.nextAttemptAt;
  }
}

it('the waits double from ten seconds to an hour, of which chance takes up to a half', () => {
  expect(waits(highest).slice(0, 11)).toEqual([10, 19, 39, 79, 159, 319, 639, 1279, 2559, 3599, 3599]);
  expect(waits(lowest).slice(0, 12)).toEqual([10, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800]);
});

it('the last attempt comes a day after the first failure, to the second', () => {
  for (const random of [lowest, highest, new SeededRandom(1)]) {
    expect(waits(random).reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(24 * 3_600 - 60);
  }
  const failing = { since: NOW, attempts: 9, nextAttemptAt: 0, reason: '' };
  const late = failedOnceMore(failing, 'timed_out', NOW + 24 * HOUR - 1, highest);
  expect(late.nextAttemptAt).toBe(NOW + 24 * HOUR);
  expect(isPatienceOver(late, NOW + 24 * HOUR - 1)).toBe(false);
  expect(isPatienceOver(late, NOW + 24 * HOUR)).toBe(true);
});

it('counts, and remembers when it began and why it failed last', () => {
  const first = failedOnceMore(undefined, 'timed_out', NOW, lowest);
  expect(first).toEqual({ since: NOW, attempts: 1, nextAttemptAt: NOW + 10_000, reason: 'timed_out' });
  expect(failedOnceMore(first, 'status_500', NOW + 60_000, lowest)).toEqual({
    since: NOW,
    attempts: 2,
    nextAttemptAt: NOW + 70_000,
    reason: 'status_500',
  });
});

it.each([
  [5, 10],
  [60, 60],
  [7_200, 3_600],
])('a receiver that asks for %d seconds gets %d', (asked, seconds) => {
  expect(failedOnceMore(undefined, 'status_429', NOW, lowest, asked).nextAttemptAt).toBe(
    NOW + seconds * 1000,
  );
});

it('counts far without leaving the numbers', () => {
  const failing = { since: NOW, attempts: 1_000_000, nextAttemptAt: 0, reason: '' };
  expect(failedOnceMore(failing, '', NOW, highest).nextAttemptAt).toBeLessThanOrEqual(NOW + HOUR);
});

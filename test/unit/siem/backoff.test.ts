import type { Random } from '../../../core/kernel/ports.ts';
import {
  afterGivingUp,
  type Failing,
  failedOnceMore,
  isPatienceOver,
  isRefusedForGood,
} from '../../../core/siem/backoff.ts';
import type { Feed } from '../../../core/siem/webhook.ts';
import { SeededRandom } from '../../support/random.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR = 60 * 60 * 1000;
const lowest = { bytes: (size: number) => new Uint8Array(size) };
const highest = { bytes: (size: number) => new Uint8Array(size).fill(255) };

/** The waits, in seconds, of a webhook that is tried as soon as it may be, until patience ends. */
function waits(random: Random = lowest, feed: Feed = 'audit'): number[] {
  const seconds: number[] = [];
  let failing: Failing | undefined;
  let now = NOW;
  for (;;) {
    failing = failedOnceMore(feed, failing, { reason: 'timed_out' }, now, random);
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
  const late = failedOnceMore('audit', failing, { reason: 'timed_out' }, NOW + 24 * HOUR - 1, highest);
  expect(late.nextAttemptAt).toBe(NOW + 24 * HOUR);
  expect(isPatienceOver(late, NOW + 24 * HOUR - 1)).toBe(false);
  expect(isPatienceOver(late, NOW + 24 * HOUR)).toBe(true);
});

it('counts, and remembers when it began and why it failed last', () => {
  const first = failedOnceMore('audit', undefined, { reason: 'timed_out' }, NOW, lowest);
  expect(first).toEqual({ since: NOW, attempts: 1, nextAttemptAt: NOW + 10_000, reason: 'timed_out' });
  expect(failedOnceMore('audit', first, { reason: 'status_500' }, NOW + 60_000, lowest)).toEqual({
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
  expect(
    failedOnceMore('audit', undefined, { reason: 'status_429', retryAfter: asked }, NOW, lowest)
      .nextAttemptAt,
  ).toBe(NOW + seconds * 1000);
});

it('counts far without leaving the numbers', () => {
  const failing = { since: NOW, attempts: 1_000_000, nextAttemptAt: 0, reason: '' };
  expect(failedOnceMore('audit', failing, { reason: '' }, NOW, highest).nextAttemptAt).toBeLessThanOrEqual(
    NOW + HOUR,
  );
});

it('alerts wait five minutes at most, whatever their receiver asks for', () => {
  expect(waits(highest, 'alerts').slice(0, 7)).toEqual([10, 19, 39, 79, 159, 299, 299]);
  const failure = { reason: 'status_429', retryAfter: 7_200 };
  expect(failedOnceMore('alerts', undefined, failure, NOW, lowest).nextAttemptAt).toBe(NOW + 300_000);
});

describe('a refusal of one alert', () => {
  const refusal = { reason: 'status_400', isRefusal: true };
  const refusedTimes = (times: number, earlier?: Failing): Failing | undefined => {
    let failing = earlier;
    for (let count = 0; count < times; count += 1)
      failing = failedOnceMore('alerts', failing, refusal, NOW, lowest);
    return failing;
  };

  it('is for good the third time, and never of audit events', () => {
    const judged = [1, 2, 3].map((times) => isRefusedForGood('alerts', refusedTimes(times) as Failing));
    expect(judged).toEqual([false, false, true]);
    expect(isRefusedForGood('audit', refusedTimes(9) as Failing)).toBe(false);
  });

  it('waits no longer because others were given up before it; the first of these is remembered', () => {
    const first = afterGivingUp(refusedTimes(3) as Failing, '0-7', NOW);
    expect(first).toEqual({
      since: NOW,
      attempts: 3,
      nextAttemptAt: NOW,
      reason: 'status_400',
      givenUp: '0-7',
    });
    const second = afterGivingUp(refusedTimes(3, first) as Failing, '0-8', NOW);
    expect(second).toMatchObject({ attempts: 6, givenUp: '0-7' });
    expect(refusedTimes(1, second)?.nextAttemptAt).toBe(NOW + 10_000);
  });
});

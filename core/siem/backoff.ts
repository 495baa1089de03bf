import type { Random } from '../kernel/ports.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import type { DeliveryState } from './delivery-log.ts';
import type { Feed } from './webhook.ts';

const FIRST_WAIT_MS = 10_000;
/** People wait for alerts: a receiver that is back must not go without them for an hour. */
const LONGEST_WAIT_MS: Record<Feed, number> = { audit: 60 * 60 * 1000, alerts: 5 * 60 * 1000 };
/** After failing for this long, a webhook is parked. */
const PATIENCE_MS = DAY_MS;

export type Failing = NonNullable<DeliveryState['failing']>;

/** What a failure says of the attempts to come. */
export interface Failure {
  readonly reason: string;
  /** Whether it is this very message that the receiver does not take. */
  readonly isRefusal?: boolean;
  /** Seconds that the receiver asked for; heeded up to the longest wait. */
  readonly retryAfter?: number | undefined;
}

/**
 * What is known after one more failure. The waits double from ten seconds to an hour, for alerts to five minutes, with
 * jitter, so that a receiver of many webhooks does not get all of them at once when it is back; the last attempt comes
 * when patience ends. Those of a message that is refused begin anew: it is not to hold up others for the failures of
 * earlier ones.
 */
export function failedOnceMore(
  feed: Feed,
  earlier: Failing | undefined,
  { reason, isRefusal = false, retryAfter = 0 }: Failure,
  now: number,
  random: Random,
): Failing {
  const since = earlier?.since ?? now;
  const attempts = (earlier?.attempts ?? 0) + 1;
  const refusals = (earlier?.refusals ?? 0) + (isRefusal ? 1 : 0);
  const longest = LONGEST_WAIT_MS[feed];
  const bound = Math.min(longest, FIRST_WAIT_MS * 2 ** Math.min((isRefusal ? refusals : attempts) - 1, 20));
  const jittered = Math.floor((bound / 2) * (1 + fraction(random)));
  const wait = Math.max(FIRST_WAIT_MS, jittered, Math.min(retryAfter * 1000, longest));
  return {
    ...earlier,
    since,
    attempts,
    nextAttemptAt: Math.min(now + wait, since + PATIENCE_MS),
    reason,
    ...(refusals === 0 ? {} : { refusals }),
  };
}

/**
 * How often a receiver may refuse one alert before that is given up. A pager held up by a message that it will never take is
 * worse than one that missed a message. More than once, since what stands in front of a receiver may refuse by mistake.
 */
const MAX_REFUSALS = 3;

/** Whether a receiver has refused one and the same alert often enough. Of the audit feed, nothing is ever left out. */
export function isRefusedForGood(feed: Feed, { refusals = 0 }: Failing): boolean {
  return feed === 'alerts' && refusals >= MAX_REFUSALS;
}

/** What is known once an event was given up: the receiver has taken nothing yet, and the next one is due at once. */
export function afterGivingUp(
  { refusals: _over, ...failing }: Failing,
  eventId: string,
  now: number,
): Failing {
  return { ...failing, nextAttemptAt: now, givenUp: failing.givenUp ?? eventId };
}

/** Whether a failure at `now` is one too many. */
export function isPatienceOver({ since }: Failing, now: number): boolean {
  return now - since >= PATIENCE_MS;
}

/** At least 0, below 1. */
function fraction(random: Random): number {
  const [high = 0, low = 0] = random.bytes(2);
  return (high * 256 + low) / 65_536;
}

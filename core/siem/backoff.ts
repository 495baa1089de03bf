import type { Random } from '../kernel/ports.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import type { DeliveryState } from './delivery-log.ts';

const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 60 * 60 * 1000;
/** After failing for this long, a webhook is parked. */
const PATIENCE_MS = DAY_MS;

export type Failing = NonNullable<DeliveryState['failing']>;

/**
 * What is known after one more failure. The waits double from ten seconds to an hour, with jitter, so that a receiver
 * of many webhooks does not get all of them at once when it is back; the last attempt comes when patience ends.
 *
 * @param retryAfter seconds that the receiver asked for; heeded up to the longest wait.
 */
export function failedOnceMore(
  earlier: Failing | undefined,
  reason: string,
  now: number,
  random: Random,
  retryAfter = 0,
): Failing {
  const since = earlier?.since ?? now;
  const attempts = (earlier?.attempts ?? 0) + 1;
  const bound = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  const jittered = Math.floor((bound / 2) * (1 + fraction(random)));
  const wait = Math.max(FIRST_WAIT_MS, jittered, Math.min(retryAfter * 1000, LONGEST_WAIT_MS));
  return { since, attempts, nextAttemptAt: Math.min(now + wait, since + PATIENCE_MS), reason };
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

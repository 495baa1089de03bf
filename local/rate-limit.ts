/** What the web ACL on AWS lets one address send within a minute. */
export const REQUESTS_PER_MINUTE = 240;

const WINDOW_MS = 60_000;

/** Whether one more request from an address is let through. */
export type RateLimit = (address: string) => boolean;

export const UNLIMITED: RateLimit = () => true;

/**
 * Counts requests by address in fixed windows of a minute. WAF looks back over a sliding window and takes some seconds
 * to notice; what both grant in a minute is the same.
 *
 * @param now milliseconds since the epoch.
 */
export function createRateLimit(now: () => number, limit = REQUESTS_PER_MINUTE): RateLimit {
  let windowStart = Number.NEGATIVE_INFINITY;
  const counts = new Map<string, number>();
  return (address) => {
    if (now() - windowStart >= WINDOW_MS) {
      counts.clear();
      windowStart = now();
    }
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    return count <= limit;
  };
}

import type { Clock } from '../kernel/ports.ts';

/**
 * Does some work and gives its outcome no sooner than after so many milliseconds, so that quick and slow outcomes look
 * alike to whoever waits.
 */
export async function atLeast<T>(clock: Clock, milliseconds: number, work: Promise<T>): Promise<T> {
  const [outcome] = await Promise.allSettled([work, clock.sleep(milliseconds)]);
  if (outcome.status === 'fulfilled') return outcome.value;
  throw outcome.reason;
}

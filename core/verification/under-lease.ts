import type { Clock } from '../kernel/ports.ts';

interface Tracked {
  readonly version: number;
  readonly leaseUntil: number;
  readonly failures: number;
}

/** How a state is read and replaced. */
export interface StateAccess<S extends Tracked> {
  readonly read: () => Promise<S>;
  readonly replace: (next: S) => Promise<'replaced' | 'changed'>;
}

export type Worked<S> =
  /** There is nothing to do. */
  | { readonly status: 'idle' }
  /** Somebody else is at work. */
  | { readonly status: 'busy' }
  | { readonly status: 'worked'; readonly state: S }
  /** `failures` slices in a row ended so, this one included. */
  | { readonly status: 'failed'; readonly error: unknown; readonly failures: number };

/** Longer than a slice takes. Should one take longer all the same, the state's version lets only one result count. */
export const LEASE_MS = 5 * 60 * 1000;
/** How far the clocks of two instances may differ. */
export const MAX_SKEW_MS = 5 * 60 * 1000;

/**
 * Does one slice of work that nobody else does at the same time. A crash leaves the state as it was, and the lease, which
 * ends by itself: the slice is then done again.
 *
 * @param begin the state to work on; undefined when nothing is to be done.
 * @param work gives the state after the slice.
 */
export async function underLease<S extends Tracked>(
  clock: Clock,
  { read, replace }: StateAccess<S>,
  begin: (state: S) => Promise<S | undefined>,
  work: (state: S) => Promise<S>,
): Promise<Worked<S>> {
  try {
    const state = await read();
    const now = clock.now();
    // A lease that ends later than any could was not taken by this job, and must not keep it from its work.
    if (state.leaseUntil > now && state.leaseUntil <= now + LEASE_MS + MAX_SKEW_MS) return { status: 'busy' };
    const begun = await begin(state);
    if (begun === undefined) return { status: 'idle' };
    const version = state.version + 1;
    const leased = { ...begun, version, leaseUntil: now + LEASE_MS };
    if ((await replace(leased)) === 'changed') return { status: 'busy' };
    try {
      const after = { ...(await work(leased)), version: version + 1, leaseUntil: 0, failures: 0 };
      return (await replace(after)) === 'changed' ? { status: 'busy' } : { status: 'worked', state: after };
    } catch (error) {
      // Given back, so that the next try need not wait; if that fails, the lease ends by itself.
      const failures = leased.failures + 1;
      await replace({ ...leased, version: version + 1, leaseUntil: 0, failures }).catch(() => undefined);
      return { status: 'failed', error, failures };
    }
  } catch (error) {
    return { status: 'failed', error, failures: 1 };
  }
}

const MINUTE_MS = 60 * 1000;

/** So many failures within the window lock an account. */
export const MAX_FAILURES = 10;
export const WINDOW_MS = 15 * MINUTE_MS;
/** How long an account is locked, from the failure that locked it. */
export const LOCK_MS = 30 * MINUTE_MS;

/** When the lock that holds at `now` ends, in epoch milliseconds: at that instant the account is open again. */
export function lockedUntil(failures: readonly number[], now: number): number | undefined {
  const end = lockEnd(counted(failures));
  return end !== undefined && now < end ? end : undefined;
}

/**
 * The failures that still matter after one more at `now`, at most {@link MAX_FAILURES}: those of the lock if the
 * account is locked, else those in the window. Servers' clocks differ a little, so `now` may be before earlier failures.
 */
export function addFailure(failures: readonly number[], now: number): readonly number[] {
  return counted([...failures, now]);
}

/** Takes back one failure at exactly this time: an attempt that was counted before its password proved right. */
export function removeFailure(failures: readonly number[], at: number): readonly number[] {
  const index = failures.indexOf(at);
  return index === -1 ? failures : failures.toSpliced(index, 1);
}

/** Ten of these are a lock, fewer are a window: so what is left after trimming says the same as all that there was. */
function counted(failures: readonly number[]): readonly number[] {
  let kept: readonly number[] = [];
  for (const at of failures.toSorted((left, right) => left - right)) {
    const end = lockEnd(kept);
    if (end === undefined) kept = [...kept.filter((earlier) => at - earlier <= WINDOW_MS), at];
    else if (at >= end) kept = [at];
  }
  return kept;
}

function lockEnd(kept: readonly number[]): number | undefined {
  const locking = kept[MAX_FAILURES - 1];
  return locking === undefined ? undefined : locking + LOCK_MS;
}

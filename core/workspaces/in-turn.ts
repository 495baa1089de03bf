import { DAY_MS } from '../kernel/timestamps.ts';

/** Multiples of it, less their whole part, lie evenly between 0 and 1 from the first on (Knuth, TAOCP 3, section 6.4). */
const GOLDEN_RATIO = 0.618033988749895;

/**
 * The same workspaces from another one on each day, far from those of the days before: what a run has no time for is not
 * always the same. Where a run has time for a third of them, each has its turn within a week.
 */
export function inTurn(workspaceIds: readonly string[], now: number): readonly string[] {
  const share = (Math.floor(now / DAY_MS) * GOLDEN_RATIO) % 1;
  const first = Math.floor(share * workspaceIds.length);
  return [...workspaceIds.slice(first), ...workspaceIds.slice(0, first)];
}

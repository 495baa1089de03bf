/** The middle of some values, which need not be sorted; 0 where there are none. */
export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/**
 * The median absolute deviation, times 1.4826, so that it estimates the standard deviation where values are normally
 * distributed (Rousseeuw and Croux 1993). Up to half of the values may be anything, and it stays what it was.
 */
export function robustDeviation(values: readonly number[], middle: number): number {
  return 1.4826 * median(values.map((value) => Math.abs(value - middle)));
}

/** The `rank`-th largest value, 1 for the largest; 0 where there are fewer. */
export function nthLargest(values: Iterable<number>, rank: number): number {
  const largest: number[] = [];
  for (const value of values) {
    if (largest.length === rank && value <= (largest[rank - 1] ?? 0)) continue;
    largest.push(value);
    largest.sort((a, b) => b - a);
    if (largest.length > rank) largest.pop();
  }
  return largest[rank - 1] ?? 0;
}

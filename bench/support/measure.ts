/** Milliseconds that `work` takes. */
export async function milliseconds(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error('There is no median of nothing.');
  return middle;
}

/**
 * How two ways of doing something compare on this machine now: their rounds alternate, so that whatever else the
 * machine does hits both, and the median round of each counts.
 */
export async function compare(
  rounds: number,
  ours: () => Promise<unknown> | unknown,
  reference: () => Promise<unknown> | unknown,
): Promise<{ readonly ours: number; readonly reference: number }> {
  const times = { ours: [] as number[], reference: [] as number[] };
  await ours();
  await reference();
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(await milliseconds(ours));
    times.reference.push(await milliseconds(reference));
  }
  return { ours: median(times.ours), reference: median(times.reference) };
}

/** One line of the result table. */
export interface Line {
  readonly what: string;
  readonly ours: string;
  readonly reference: string;
  /** Ours against the reference: throughput for rates, time for times. */
  readonly ratio: string;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

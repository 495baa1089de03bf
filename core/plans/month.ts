import { timestamp } from '../kernel/timestamps.ts';

/** A calendar month, UTC, as `2026-11`. */
export type Month = string;

const LENGTH = '2026-11'.length;

/** The month of an instant in epoch milliseconds. */
export function monthOf(time: number): Month {
  return timestamp(time).slice(0, LENGTH);
}

/** Its first millisecond, since the Unix epoch. */
export function startOf(month: Month): number {
  return Date.parse(`${month}-01T00:00:00.000Z`);
}

/** The month of an instant and as many before it as make `count`, newest first; none before that of `since`. */
export function monthsUntil(time: number, count: number, since = 0): readonly Month[] {
  const months: Month[] = [];
  for (let month = monthOf(time); months.length < count; month = monthOf(startOf(month) - 1)) {
    months.push(month);
    if (startOf(month) <= since) break;
  }
  return months;
}

import { DAY_MS, timestamp } from '../kernel/timestamps.ts';

/** A day of the archive, `YYYY-MM-DD`: from midnight to midnight in UTC, 86,400 seconds without leap seconds. */
export type Day = string;

export function dayOf(milliseconds: number): Day {
  return timestamp(milliseconds).slice(0, 10);
}

/** Epoch milliseconds of its first moment. */
export function dayStart(day: Day): number {
  return Date.parse(`${day}T00:00:00.000Z`);
}

/** Epoch milliseconds of the next day's first moment. */
export function dayEnd(day: Day): number {
  return dayStart(day) + DAY_MS;
}

export function nextDay(day: Day): Day {
  return dayOf(dayEnd(day));
}

export function daysBefore(day: Day, count: number): Day {
  return dayOf(dayStart(day) - count * DAY_MS);
}

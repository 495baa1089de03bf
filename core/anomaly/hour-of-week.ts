/**
 * Weeks as the detectors see them: in UTC, from Monday 00:00, in whole hours since 1970-01-01T00:00Z. All of it is
 * arithmetic, since it is done for every audit row.
 */
export const HOUR_MS = 3_600_000;
export const DAY_HOURS = 24;
export const WEEK_HOURS = 168;

/** 1970-01-01 was a Thursday: 72 hours after a Monday. */
const FIRST_MONDAY_OFFSET = 72;
const SATURDAY = 5 * DAY_HOURS;

/** The hour that an instant in epoch milliseconds falls into. */
export function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS);
}

export function dayOf(hour: number): number {
  return Math.floor(hour / DAY_HOURS);
}

export function weekOf(hour: number): number {
  return Math.floor((hour + FIRST_MONDAY_OFFSET) / WEEK_HOURS);
}

/** 0 to 23. */
export function hourOfDay(hour: number): number {
  return hour % DAY_HOURS;
}

/** 0 for Monday 00:00 to 01:00, 167 for Sunday 23:00 to 24:00. */
export function hourOfWeek(hour: number): number {
  return (hour + FIRST_MONDAY_OFFSET) % WEEK_HOURS;
}

export function isWeekend(hour: number): boolean {
  return hourOfWeek(hour) >= SATURDAY;
}

/** An hour of the day for people: `14:00`. */
export function clockTime(hour: number): string {
  return `${String(hourOfDay(hour)).padStart(2, '0')}:00`;
}

import { DAY_MS } from '../kernel/timestamps.ts';

/** The week of an instant in epoch milliseconds, UTC, as ISO 8601 writes it: `2026-W01`. It belongs to its Thursday's year. */
export function isoWeek(now: number): string {
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  const weekday = (new Date(midnight).getUTCDay() + 6) % 7;
  const thursday = new Date(midnight + (3 - weekday) * DAY_MS);
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - newYear) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`;
}

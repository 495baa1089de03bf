/** An instant as `YYYY-MM-DDTHH:mm:ss.sssZ` (RFC 3339, UTC, always 24 characters): the only form stored or shown. */
export type Timestamp = string;

export const DAY_MS = 24 * 60 * 60 * 1000;

export function timestamp(milliseconds: number): Timestamp {
  return new Date(milliseconds).toISOString();
}

/** Every form that {@link timestamp} writes, and the days that months with fewer than 31 do not have. */
const TIMESTAMP =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** True only for the exact form that {@link timestamp} writes, of an instant that exists. */
export function isTimestamp(text: string): boolean {
  if (!TIMESTAMP.test(text)) return false;
  // Only the end of a month needs the calendar, and few days are one.
  return text.slice(8, 10) < '29' || timestamp(Date.parse(text)) === text;
}

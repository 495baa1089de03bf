/** An instant as `YYYY-MM-DDTHH:mm:ss.sssZ` (RFC 3339, UTC, always 24 characters): the only form stored or shown. */
export type Timestamp = string;

export const DAY_MS = 24 * 60 * 60 * 1000;

export function timestamp(milliseconds: number): Timestamp {
  return new Date(milliseconds).toISOString();
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** True only for the exact form that {@link timestamp} writes, of an instant that exists. */
export function isTimestamp(text: string): boolean {
  if (!TIMESTAMP.test(text)) return false;
  const milliseconds = Date.parse(text);
  return !Number.isNaN(milliseconds) && timestamp(milliseconds) === text;
}

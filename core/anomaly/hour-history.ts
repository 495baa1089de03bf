import * as z from 'zod';
import { WEEK_HOURS } from './hour-of-week.ts';

export const HISTORY_WEEKS = 8;
export const HISTORY_HOURS = HISTORY_WEEKS * WEEK_HOURS;

/**
 * How often something happened in each of the last 1,344 hours: one character an hour, in a ring. A character stands
 * for a count exactly up to 16, and above that for the next step of a scale that rises by 15% a step, up to 650,000:
 * what is compared with such a count is never stricter than the count itself would be.
 */
export const hourHistorySchema = z.strictObject({
  /** The first hour that is known. */
  since: z.int().min(0),
  /** The hour after the last one that is known. */
  next: z.int().min(0),
  counts: z.string().length(HISTORY_HOURS),
});

export type HourHistory = z.infer<typeof hourHistorySchema>;

/** Printable ASCII, but for the two characters that JSON writes as two. */
const SCALE_TEXT = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at))
  .filter((character) => character !== '"' && character !== '\\')
  .join('');
const EXACT = 16;
const STEP = 1.15;
const NONE = SCALE_TEXT.charAt(0);

const SCALE: readonly number[] = Array.from(SCALE_TEXT, (_, level) =>
  level <= EXACT ? level : Math.round(EXACT * STEP ** (level - EXACT)),
);
const VALUE_OF_CODE = new Float64Array(128);
for (const [level, value] of SCALE.entries()) VALUE_OF_CODE[SCALE_TEXT.charCodeAt(level)] = value;

/** A history that begins with `hour`. */
export function beginHistory(hour: number): HourHistory {
  return { since: hour, next: hour, counts: NONE.repeat(HISTORY_HOURS) };
}

/** Notes the count of an hour that is over. Nothing happened in the hours between; the oldest ones are forgotten. */
export function recordHour(history: HourHistory, hour: number, count: number): void {
  if (hour < history.next) return;
  const quiet = Math.min(hour - history.next, HISTORY_HOURS - 1);
  const part = NONE.repeat(quiet) + characterOf(count);
  history.counts = overwrite(history.counts, hour - quiet, part);
  history.next = hour + 1;
  history.since = Math.max(history.since, history.next - HISTORY_HOURS);
}

/** The count of an hour from `since` to before `next`; 0 for every other. */
export function countAt(history: HourHistory, hour: number): number {
  if (hour < history.since || hour >= history.next) return 0;
  return VALUE_OF_CODE[history.counts.charCodeAt(hour % HISTORY_HOURS)] ?? 0;
}

function characterOf(count: number): string {
  const exact = SCALE_TEXT.charAt(count);
  if (count <= EXACT) return exact;
  const level = SCALE.findIndex((value) => value >= count);
  return SCALE_TEXT.charAt(level < 0 ? SCALE_TEXT.length - 1 : level);
}

/** Writes a part of the ring, beginning with `hour`; what goes past the end of the text goes on at its start. */
function overwrite(counts: string, hour: number, part: string): string {
  const at = hour % HISTORY_HOURS;
  const fits = Math.min(part.length, HISTORY_HOURS - at);
  const wrapped = part.slice(fits);
  return wrapped + counts.slice(wrapped.length, at) + part.slice(0, fits) + counts.slice(at + fits);
}

import { isoWeek } from '../access-review/iso-week.ts';
import { type Day, dayOf, dayStart, daysBefore } from '../archive/day.ts';

/** How often evidence is exported. */
export const RHYTHMS = ['week', 'month'] as const;
export type Rhythm = (typeof RHYTHMS)[number];

/** A week from Monday on, or a calendar month, UTC. */
export interface Period {
  /** `2026-W47` (ISO 8601), or `2026-11`. */
  readonly name: string;
  /** Its first day. */
  readonly from: Day;
  /** The first day after it. */
  readonly to: Day;
}

const WEEK_DAYS = 7;
const MONTH_CHARACTERS = 7;

/** The week or the month that a day lies in. */
export function periodOf(rhythm: Rhythm, day: Day): Period {
  return rhythm === 'week' ? weekOf(day) : monthOf(day);
}

function weekOf(day: Day): Period {
  const sinceMonday = (new Date(dayStart(day)).getUTCDay() + WEEK_DAYS - 1) % WEEK_DAYS;
  const from = daysBefore(day, sinceMonday);
  return { name: isoWeek(dayStart(from)), from, to: daysBefore(from, -WEEK_DAYS) };
}

function monthOf(day: Day): Period {
  const name = day.slice(0, MONTH_CHARACTERS);
  const [year = 0, month = 0] = name.split('-').map(Number);
  // Date.UTC counts months from 0, so that this is the next one; the 12th is January of the next year.
  return { name, from: `${name}-01`, to: dayOf(Date.UTC(year, month, 1)) };
}

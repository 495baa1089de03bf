import { countAt, HISTORY_HOURS, type HourHistory } from './hour-history.ts';
import { DAY_HOURS, dayOf, hourOfDay, hourOfWeek, isWeekend, weekOf } from './hour-of-week.ts';
import { median, nthLargest, robustDeviation } from './robust.ts';

/**
 * What an hour or a day is compared with, from the coarsest: all days alike, working days and weekends apart, each day of
 * the week by itself. The more is known, the finer.
 */
export type Season = 'any_day' | 'kind_of_day' | 'day_of_week';

const DAYS_FOR_ANY = 3;
const DAYS_FOR_KINDS = 7;
const DAYS_FOR_WEEKS = 28;

/** `undefined` while too little is known to compare with anything. */
export function seasonKnown(history: HourHistory): Season | undefined {
  const days = (history.next - history.since) / DAY_HOURS;
  if (days < DAYS_FOR_ANY) return undefined;
  if (days < DAYS_FOR_KINDS) return 'any_day';
  return days < DAYS_FOR_WEEKS ? 'kind_of_day' : 'day_of_week';
}

export interface Usual {
  readonly middle: number;
  /** Estimates the standard deviation. */
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
}

/**
 * What was usual at this hour. Of each earlier day, the largest of the hour and its two neighbours counts: so neither a
 * job that starts some minutes late nor daylight saving time is anything new.
 */
export function usualAtHour(history: HourHistory, hour: number, season: Season): Usual {
  const slot = slotOf(hour, season);
  const values: number[] = [];
  for (let past = hour - DAY_HOURS; past >= firstHour(history, hour); past -= DAY_HOURS)
    if (slotOf(past, season) === slot) values.push(around(history, past));
  return usualOf(values);
}

/** What was usual on such a day, in all. Days that are known in part do not count. */
export function usualOnDay(history: HourHistory, day: number, season: Season): Usual {
  const slot = slotOf(day * DAY_HOURS, season);
  const values: number[] = [];
  for (let past = day - 1; past * DAY_HOURS >= firstHour(history, day * DAY_HOURS); past -= 1)
    if (slotOf(past * DAY_HOURS, season) === slot) values.push(countOnDay(history, past));
  return usualOf(values);
}

/** By how much the busiest hours, and the busiest days, exceeded what was usual for them. */
export interface Bursts {
  readonly hour: number;
  readonly day: number;
}

/**
 * The excess that came in `recurrences` of the last eight weeks, so that it is the actor's way: deploys have no fixed
 * hour. What came in fewer was an event, however often in the same week: else whoever does as much as is let pass, day
 * after day, would double that in days. Until four weeks are known, once is enough.
 */
export function burstsOf(history: HourHistory, season: Season, recurrences: number): Bursts {
  const rank = season === 'day_of_week' ? recurrences : 1;
  const hours: Span[] = [];
  for (let hour = history.since; hour < history.next; hour += 1)
    hours.push({
      week: weekOf(hour),
      slot: slotOf(hour, season),
      count: countAt(history, hour),
      typical: around(history, hour),
    });
  const days: Span[] = [];
  for (let day = Math.ceil(history.since / DAY_HOURS); day < dayOf(history.next); day += 1) {
    const count = countOnDay(history, day);
    const first = day * DAY_HOURS;
    days.push({ week: weekOf(first), slot: slotOf(first, season), count, typical: count });
  }
  return { hour: burst(hours, rank), day: burst(days, rank) };
}

/** An hour or a day. */
interface Span {
  readonly week: number;
  readonly slot: number;
  readonly count: number;
  readonly typical: number;
}

function burst(spans: readonly Span[], rank: number): number {
  const bySlot = Map.groupBy(spans, ({ slot }) => slot);
  const largest = new Map<number, number>();
  for (const alike of bySlot.values()) {
    const middle = median(alike.map(({ typical }) => typical));
    for (const { week, count } of alike) largest.set(week, Math.max(largest.get(week) ?? 0, count - middle));
  }
  return nthLargest(largest.values(), rank);
}

/** Hours with the same slot are compared with each other; a day is compared by its first hour. */
function slotOf(hour: number, season: Season): number {
  switch (season) {
    case 'any_day':
      return hourOfDay(hour);
    case 'kind_of_day':
      return hourOfDay(hour) + (isWeekend(hour) ? DAY_HOURS : 0);
    case 'day_of_week':
      return hourOfWeek(hour);
  }
}

export function usualOf(values: readonly number[]): Usual {
  const middle = median(values);
  return {
    middle,
    deviation: robustDeviation(values, middle),
    least: values.length === 0 ? 0 : Math.min(...values),
    most: Math.max(0, ...values),
  };
}

function firstHour(history: HourHistory, hour: number): number {
  return Math.max(history.since, hour - HISTORY_HOURS);
}

function around(history: HourHistory, hour: number): number {
  return Math.max(countAt(history, hour - 1), countAt(history, hour), countAt(history, hour + 1));
}

function countOnDay(history: HourHistory, day: number): number {
  let count = 0;
  for (let hour = day * DAY_HOURS; hour < (day + 1) * DAY_HOURS; hour += 1) count += countAt(history, hour);
  return count;
}

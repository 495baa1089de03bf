import * as z from 'zod';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import { clockTime, DAY_HOURS, dayOf, hourOf, hourOfDay } from '../hour-of-week.ts';
import type { Observation } from '../observation.ts';

const thresholdsSchema = z.strictObject({
  /** How many hours away from every usual hour an hour has to be. */
  hoursAway: z.int().min(1).max(12).default(4),
  /** So many actions that matter within such an hour are told of. */
  actions: z.int().min(1).max(1_000).default(5),
  /** On so many days an actor has to be seen before anything is unusual for it. */
  daysToLearn: z.int().min(3).max(60).default(10),
  /** An hour is usual if the actor is seen in it on at least this share of its days. */
  usualShare: z.number().min(0.01).max(0.5).default(0.05),
});

export type OffHoursThresholds = z.infer<typeof thresholdsSchema>;

const stateSchema = z.strictObject({
  /** On how many days the actor was seen, and on how many of them in each hour of the day. */
  days: z.int().min(0),
  daysWithHour: z.array(z.int().min(0)).length(DAY_HOURS),
  /** The hour of the newest row, in hours since the epoch, and the hours of its day so far, one bit each. */
  hour: z.int().min(0),
  hoursToday: z.int().min(0),
  /** Where the actor mostly is, as far as that is known, and for how many days more than elsewhere. */
  home: z.string().max(2),
  homeDays: z.int().min(0),
  /** The actions that matter in this hour. */
  rows: z.array(z.string().max(40)).max(20),
  count: z.int().min(0),
  /** The last hour that was told of. */
  toldHour: z.int().min(0),
});

export type OffHoursState = z.infer<typeof stateSchema>;

/** When so many days are known, all counts are halved: what lies longer back counts for less and less. */
const DAYS_KEPT = 60;
const ROWS_SHOWN = 10;
/** Once told of, it is the same night. */
const SILENT_HOURS = 12;
/** Once is chance. */
const LEAST_DAYS = 2;
const MOST_HOME_DAYS = 20;

/**
 * An actor does what matters at an hour of the day that is far from all hours at which it works. An actor that works
 * around the clock has no such hour. `docs/detection/off-hours.md` has the rule.
 */
export const offHours: Detector<OffHoursState, OffHoursThresholds> = {
  scope: 'actor',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['usualShare'],

  initial: () => ({
    days: 0,
    daysWithHour: Array.from({ length: DAY_HOURS }, () => 0),
    hour: 0,
    hoursToday: 0,
    home: '',
    homeDays: 0,
    rows: [],
    count: 0,
    toldHour: 0,
  }),

  observe(state, row, thresholds) {
    if (row.result !== 'success') return NOTHING;
    const hour = hourOf(row.at);
    if (hour > state.hour) beginHour(state, hour);
    if (isAway(state, row)) return NOTHING;
    state.hoursToday |= 1 << hourOfDay(hour);
    if (!MATTERING.has(row.action)) return NOTHING;
    state.count += 1;
    if (state.rows.length < ROWS_SHOWN) state.rows.push(row.id);
    const isDue = state.count === thresholds.actions && hour >= state.toldHour + SILENT_HOURS;
    if (!isDue || state.days < thresholds.daysToLearn) return NOTHING;
    const usual = usualHours(state, thresholds);
    if (usual.some((one) => hoursBetween(one, hourOfDay(hour)) <= thresholds.hoursAway)) return NOTHING;
    state.toldHour = hour;
    return [sighting(state, row, usual)];
  },
};

/** What an intruder would come for: values, metadata in bulk, keys, rights, and what watches over them. */
const MATTERING: ReadonlySet<string> = new Set([
  'secret.revealed',
  'secret.rollback_requested',
  'secret.exported',
  'secret.deleted',
  'secret.purge_started',
  'api_key.created',
  'api_key.rotated',
  'api_key.revoked',
  'member.invited',
  'member.role_changed',
  'member.removed',
  'workspace.updated',
  'workspace.deleted',
  'webhook.created',
  'webhook.updated',
  'webhook.deleted',
  'detection.updated',
  'audit.exported',
]);

function beginHour(state: OffHoursState, hour: number): void {
  if (state.hour !== 0 && dayOf(hour) !== dayOf(state.hour)) learnDay(state);
  state.hour = hour;
  state.rows = [];
  state.count = 0;
}

/** Whoever travels works by another clock, and `geography.ts` tells of it: such hours are neither judged nor learned. */
function isAway(state: OffHoursState, { location }: Observation): boolean {
  if (location === undefined || location.country === state.home) return false;
  if (state.homeDays > 0) return true;
  if (state.home !== '') forget(state);
  state.home = location.country;
  return false;
}

function forget(state: OffHoursState): void {
  state.days = 0;
  state.daysWithHour = state.daysWithHour.map(() => 0);
}

/** One day more at home, or one that was spent elsewhere: whoever moved begins anew there after as many days again. */
function countDay(state: OffHoursState): void {
  if (state.hoursToday !== 0) state.homeDays = Math.min(state.homeDays + 1, MOST_HOME_DAYS);
  else if (state.homeDays > 0) state.homeDays -= 1;
}

function learnDay(state: OffHoursState): void {
  countDay(state);
  if (state.hoursToday === 0) return;
  state.days += 1;
  for (let hour = 0; hour < DAY_HOURS; hour += 1)
    if (((state.hoursToday >> hour) & 1) === 1)
      state.daysWithHour[hour] = (state.daysWithHour[hour] ?? 0) + 1;
  state.hoursToday = 0;
  if (state.days < DAYS_KEPT) return;
  state.days >>= 1;
  state.daysWithHour = state.daysWithHour.map((days) => days >> 1);
}

/** The hours of the day at which the actor works, rising. */
function usualHours(
  { days, daysWithHour }: OffHoursState,
  { usualShare }: OffHoursThresholds,
): readonly number[] {
  const least = Math.max(LEAST_DAYS, usualShare * days);
  return daysWithHour.flatMap((count, hour) => (count >= least ? [hour] : []));
}

/** Around the clock, 0 to 12. */
function hoursBetween(one: number, other: number): number {
  const apart = Math.abs(one - other);
  return Math.min(apart, DAY_HOURS - apart);
}

function sighting(state: OffHoursState, { actor }: Observation, usual: readonly number[]): Sighting {
  const between = `between ${clockTime(state.hour)} and ${clockTime(state.hour + 1)} UTC`;
  return {
    // People work late now and then; a machine that does has changed hands or changed its schedule.
    tier: actor.type === 'user' ? 'info' : 'warning',
    kind: 'off_hours',
    subject: `${actor.type} ${actor.id}`,
    seen: `Secrets, keys or rights were used or changed ${between}: ${state.count} actions so far.`,
    usual: `On the last ${state.days} days on which it was seen, this actor worked ${rangesOf(usual)} UTC.`,
    rows: [...state.rows],
    detail: { hour: clockTime(state.hour), count: String(state.count) },
  };
}

/** Hours of the day as ranges: `07:00–12:00, 14:00–18:00`. */
function rangesOf(hours: readonly number[]): string {
  if (hours.length === 0) return 'at no fixed hours';
  const starts = hours.filter((hour) => !hours.includes(hour - 1));
  const ends = hours.filter((hour) => !hours.includes(hour + 1));
  const ranges = starts.map((start, at) => `${clockTime(start)}–${clockTime((ends[at] ?? start) + 1)}`);
  return ranges.join(', ');
}

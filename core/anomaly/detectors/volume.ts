import * as z from 'zod';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import { beginHistory, HISTORY_WEEKS, hourHistorySchema, recordHour } from '../hour-history.ts';
import { clockTime, dayOf, hourOf, weekOf } from '../hour-of-week.ts';
import { knownSecretsSchema, learnSecret, noSecrets } from '../known-secrets.ts';
import type { Observation } from '../observation.ts';
import { nthLargest } from '../robust.ts';
import { opensValue, usesOf } from '../secret-use.ts';
import { counted } from '../sentences.ts';
import {
  burstsOf,
  type Season,
  seasonKnown,
  type Usual,
  usualAtHour,
  usualOf,
  usualOnDay,
} from '../usual-volume.ts';

const thresholdsSchema = z.strictObject({
  /** An hour with at most so many uses is never unusual, */
  hourFloor: z.int().min(1).max(1_000_000).default(100),
  /** nor is a day with at most so many, */
  dayFloor: z.int().min(1).max(10_000_000).default(300),
  /** nor a week in which at most so many secrets are opened that this actor never opened before. */
  newSecretsFloor: z.int().min(1).max(100_000).default(50),
  /** How many times the usual, or the usual burst, is still usual. */
  factor: z.number().min(1).max(100).default(2),
  /** How many robust standard deviations above the usual are still usual. */
  deviations: z.number().min(1).max(100).default(6),
  /** In how many of eight weeks a burst has to come until it is usual. */
  recurrences: z.int().min(1).max(8).default(2),
  /** What an actor of whom fewer than three days are known may use in an hour; four times as much in a day. */
  newcomerLimit: z.int().min(1).max(1_000_000).default(500),
});

export type VolumeThresholds = z.infer<typeof thresholdsSchema>;

const countSchema = z.number().min(0);

const stateSchema = z.strictObject({
  history: hourHistorySchema,
  /** The hour in which the newest use lies: its count and limit, its first rows, and whether it was told of. */
  hour: z.int().min(0),
  count: countSchema,
  limit: countSchema,
  rows: z.array(z.string().max(40)).max(20),
  told: z.boolean(),
  dayCount: countSchema,
  dayLimit: countSchema,
  dayTold: z.boolean(),
  /** How much the busiest hours usually exceed what is usual. */
  burst: countSchema,
  known: knownSecretsSchema,
  /** How many secrets were opened for the first time this week, and in earlier weeks, the newest last. */
  newCount: countSchema,
  newLimit: countSchema,
  newTold: z.boolean(),
  newBefore: z.array(countSchema).max(HISTORY_WEEKS),
  /** Weeks of learning that are left: in these, most secrets are new. */
  newIn: z.int().min(0),
});

export type VolumeState = z.infer<typeof stateSchema>;

const ROWS_SHOWN = 10;
const NEWCOMER_DAY_HOURS = 4;
const LEARNING_WEEKS = 2;

/**
 * An actor uses far more secrets than is usual for it at this hour of the week or on this day, or opens far more that it
 * never opened before. `docs/detection/volume.md` has the rule.
 */
export const volume: Detector<VolumeState, VolumeThresholds> = {
  scope: 'actor',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['recurrences'],

  initial: () => ({
    history: beginHistory(0),
    hour: 0,
    count: 0,
    limit: 0,
    rows: [],
    told: false,
    dayCount: 0,
    dayLimit: 0,
    dayTold: false,
    burst: 0,
    known: noSecrets(),
    newCount: 0,
    newLimit: 0,
    newTold: false,
    newBefore: [],
    newIn: LEARNING_WEEKS,
  }),

  observe(state, row, thresholds) {
    const uses = usesOf(row);
    if (uses === 0) return NOTHING;
    const hour = hourOf(row.at);
    if (hour > state.hour) beginHour(state, hour, thresholds);
    state.count += uses;
    state.dayCount += uses;
    if (state.rows.length < ROWS_SHOWN - 1) state.rows.push(row.id);
    if (opensValue(row) && learnSecret(state.known, row.entity.id)) state.newCount += 1;
    return state.told ? NOTHING : judge(state, row);
  },
};

/** At most one alert an hour: what is unusual beyond that is told of in the next one. */
function judge(state: VolumeState, row: Observation): readonly Sighting[] {
  if (state.count > state.limit) {
    state.told = true;
    return [unusualHour(state, row)];
  }
  if (state.dayCount > state.dayLimit && !state.dayTold) {
    state.told = true;
    state.dayTold = true;
    return [unusualDay(state, row)];
  }
  if (state.newCount > state.newLimit && !state.newTold) {
    state.told = true;
    state.newTold = true;
    return [unusualSecrets(state, row)];
  }
  return NOTHING;
}

function beginHour(state: VolumeState, hour: number, thresholds: VolumeThresholds): void {
  const before = state.hour;
  if (before === 0) state.history = beginHistory(hour);
  else recordHour(state.history, before, state.count);
  state.hour = hour;
  state.count = 0;
  state.rows = [];
  state.told = false;
  if (weekOf(hour) !== weekOf(before)) beginWeek(state, before, thresholds);
  const season = seasonKnown(state.history);
  if (dayOf(hour) !== dayOf(before)) beginDay(state, season, thresholds);
  state.limit =
    season === undefined
      ? thresholds.newcomerLimit
      : limitOf(usualAtHour(state.history, hour, season), state.burst, thresholds.hourFloor, thresholds);
}

function beginDay(state: VolumeState, season: Season | undefined, thresholds: VolumeThresholds): void {
  state.dayCount = 0;
  state.dayTold = false;
  if (season === undefined) {
    state.dayLimit = NEWCOMER_DAY_HOURS * thresholds.newcomerLimit;
    return;
  }
  const bursts = burstsOf(state.history, season, thresholds.recurrences);
  state.burst = bursts.hour;
  const usual = usualOnDay(state.history, dayOf(state.hour), season);
  state.dayLimit = limitOf(usual, bursts.day, thresholds.dayFloor, thresholds);
}

/** Weeks without any use are left out: after a vacation, an actor is what it was. */
function beginWeek(state: VolumeState, before: number, thresholds: VolumeThresholds): void {
  if (before !== 0 && state.newIn > 0) state.newIn -= 1;
  else if (before !== 0) state.newBefore = [...state.newBefore, state.newCount].slice(-HISTORY_WEEKS);
  state.newCount = 0;
  state.newTold = false;
  const burst = nthLargest(state.newBefore, thresholds.recurrences);
  state.newLimit =
    state.newIn > 0
      ? thresholds.newcomerLimit
      : limitOf(usualOf(state.newBefore), burst, thresholds.newSecretsFloor, thresholds);
}

/** The largest count that is still usual. */
function limitOf(
  { middle, deviation }: Usual,
  burst: number,
  floor: number,
  { factor, deviations }: VolumeThresholds,
): number {
  return Math.max(floor, factor * middle, middle + deviations * deviation, middle + factor * burst);
}

function unusualHour(state: VolumeState, row: Observation): Sighting {
  const season = seasonKnown(state.history);
  const seen = `${state.count} uses of secrets between ${clockTime(state.hour)} and ${clockTime(state.hour + 1)} UTC.`;
  const what = season && usualText(usualAtHour(state.history, state.hour, season), HOURS_LIKE[season]);
  return sighting(state, row, 'hour', { seen, what, count: state.count, limit: state.limit });
}

function unusualDay(state: VolumeState, row: Observation): Sighting {
  const season = seasonKnown(state.history);
  const seen = `${state.dayCount} uses of secrets on one day (UTC), before ${clockTime(state.hour + 1)}.`;
  const what = season && usualText(usualOnDay(state.history, dayOf(state.hour), season), DAYS_LIKE[season]);
  return sighting(state, row, 'day', { seen, what, count: state.dayCount, limit: state.dayLimit });
}

function unusualSecrets(state: VolumeState, row: Observation): Sighting {
  const seen = `${state.newCount} secrets opened this week that are none of the last few hundred which this actor opened.`;
  const weeks = state.newBefore.length;
  const when = `in each of the last ${counted(weeks, 'week')}`;
  const what = weeks === 0 ? undefined : usualText(usualOf(state.newBefore), when);
  return sighting(state, row, 'new_secrets', { seen, what, count: state.newCount, limit: state.newLimit });
}

const HOURS_LIKE: Readonly<Record<Season, string>> = {
  any_day: 'at this hour of the days known so far',
  kind_of_day: 'at this hour on such days (working days, weekends) in the last weeks',
  day_of_week: `at this hour of the week in the last ${HISTORY_WEEKS} weeks`,
};

const DAYS_LIKE: Readonly<Record<Season, string>> = {
  any_day: 'on the days known so far',
  kind_of_day: 'on such days (working days, weekends) in the last weeks',
  day_of_week: `on this day of the week in the last ${HISTORY_WEEKS} weeks`,
};

function usualText({ middle, least, most }: Usual, when: string): string {
  return least === most ? `${most} ${when}` : `about ${Math.round(middle)} (${least} to ${most}) ${when}`;
}

interface Unusual {
  readonly seen: string;
  /** Nothing for a newcomer. */
  readonly what: string | undefined;
  readonly count: number;
  readonly limit: number;
}

function sighting(
  state: VolumeState,
  { actor, id }: Observation,
  measure: string,
  { seen, what, count, limit }: Unusual,
): Sighting {
  const upTo = Math.floor(limit);
  return {
    tier: 'warning',
    kind: 'volume_anomaly',
    subject: `${actor.type} ${actor.id}`,
    seen,
    usual:
      what === undefined
        ? `It is not known yet what is usual for this actor; up to ${upTo} are let pass.`
        : `Usual were ${what}; up to ${upTo} are let pass.`,
    rows: state.rows.includes(id) ? [...state.rows] : [...state.rows, id],
    detail: { measure, count: String(count), limit: String(upTo) },
  };
}

import * as z from 'zod';
import { circleOf, countryName } from '../countries.ts';
import type { Detector, Sighting } from '../detector.ts';
import { NOTHING } from '../detector.ts';
import { type Circle, leastDistanceKm } from '../distance.ts';
import type { Location, Observation } from '../observation.ts';
import { counted, figure, spanOf } from '../sentences.ts';

const thresholdsSchema = z.strictObject({
  /** So many uses, */
  historyUses: z.int().min(1).max(10_000).default(20),
  /** over so many days, have to be known of an actor before anything is unusual for it. */
  historyDays: z.int().min(0).max(90).default(7),
  /** A place where an actor was on so many days is familiar: travel between two familiar places is never impossible. */
  familiarDays: z.int().min(1).max(60).default(3),
  /** A place is forgotten so many days after the last use from there. */
  forgetDays: z.int().min(7).max(730).default(180),
  /** For an actor that came from so many countries, one more is only worth a note. */
  roamingCountries: z.int().min(2).max(24).default(5),
  maxSpeedKmh: z.int().min(300).max(5_000).default(1_000),
  minDistanceKm: z.int().min(100).max(10_000).default(500),
  /** So many hours after an alert, no other place gives reason for one. */
  quietHours: z.int().min(0).max(168).default(24),
});

type Thresholds = z.infer<typeof thresholdsSchema>;

const MAX_PLACES = 24;

const countrySchema = z.string().length(2);

/** A country or, where coordinates are known, a field of five by five degrees in it. */
const placeSchema = z.strictObject({
  country: countrySchema,
  /** -1 for a country as a whole. */
  field: z.int().min(-1),
  /** On how many days the actor was there. */
  days: z.int().min(1),
  /** Days since the Unix epoch. */
  lastDay: z.int().min(0),
});

type Place = z.infer<typeof placeSchema>;

const stateSchema = z.strictObject({
  uses: z.int().min(0),
  /** Epoch milliseconds of the first use. */
  since: z.int().min(0),
  quietUntil: z.int().min(0),
  places: z.array(placeSchema).max(MAX_PLACES),
  /** The latest use. */
  last: z
    .strictObject({
      row: z.string().max(64),
      at: z.int().min(0),
      country: countrySchema,
      latitude: z.number().nullable(),
      longitude: z.number().nullable(),
      isFamiliar: z.boolean(),
    })
    .optional(),
});

type State = z.infer<typeof stateSchema>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Whether an actor comes from where it cannot, or never does: `impossible_travel` for people, `new_country` for people
 * and API keys. A key does not travel: it may be used in all regions of a cloud at once.
 *
 * After an alert, an actor has quiet for some hours: a burst of changes is one alert. A place that was told of is familiar.
 */
export const geography: Detector<State, Thresholds> = {
  scope: 'actor',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['roamingCountries', 'familiarDays'],
  initial: () => ({ uses: 0, since: 0, quietUntil: 0, places: [] }),

  observe(state, row, thresholds) {
    const { location } = row;
    if (location === undefined || location.country.length !== 2) return NOTHING;
    if (state.since === 0) state.since = row.at;
    const day = Math.floor(row.at / DAY_MS);
    const place = find(state.places, location.country, fieldOf(location), day - thresholds.forgetDays);
    const isFamiliar = place !== undefined && place.days >= thresholds.familiarDays;
    const found =
      row.at >= state.quietUntil && isMature(state, row, thresholds)
        ? (travelled(state, row, location, isFamiliar, thresholds) ??
          arrived(state, row, location, place, day, thresholds))
        : undefined;

    state.uses += 1;
    const learned = place ?? learn(state.places, location, day);
    if (day > learned.lastDay) {
      learned.days += 1;
      learned.lastDay = day;
    }
    remember(state, row, location, isFamiliar);
    if (found === undefined) return NOTHING;
    state.quietUntil = row.at + thresholds.quietHours * HOUR_MS;
    learned.days = Math.max(learned.days, thresholds.familiarDays);
    return [found];
  },
};

function isMature(state: State, row: Observation, { historyUses, historyDays }: Thresholds): boolean {
  return state.uses >= historyUses && row.at - state.since >= historyDays * DAY_MS;
}

function travelled(
  { last, places }: State,
  row: Observation,
  location: Location,
  isFamiliar: boolean,
  { maxSpeedKmh, minDistanceKm }: Thresholds,
): Sighting | undefined {
  if (last === undefined || row.actor.type !== 'user' || (isFamiliar && last.isFamiliar)) return undefined;
  const from = areaOf(last.country, last.latitude, last.longitude);
  const to = areaOf(location.country, location.latitude, location.longitude);
  if (from === undefined || to === undefined) return undefined;
  // Without coordinates a country is one place; its circle reaches over its borders.
  const isSame = last.country === location.country && (from.radiusKm > 0 || to.radiusKm > 0);
  const km = isSame ? 0 : leastDistanceKm(from, to);
  // Rows of two lanes may come in the wrong order, by moments.
  const elapsed = Math.abs(row.at - last.at);
  if (km < minDistanceKm || km * HOUR_MS <= maxSpeedKmh * elapsed) return undefined;
  const isNew = !places.some(({ country }) => country === location.country);
  const distance = counted(Math.floor(km), 'kilometre');
  return {
    tier: isNew ? 'critical' : 'warning',
    kind: 'impossible_travel',
    subject: `${row.actor.type} ${row.actor.id}`,
    seen: `Came from ${countryName(last.country)} and, within ${spanOf(elapsed)}, from ${countryName(location.country)}: at least ${distance} away.`,
    usual: `Nobody travels faster than ${figure(maxSpeedKmh)} km/h. ${usually(places)}`,
    rows: [last.row, row.id],
    detail: {
      fromCountry: last.country,
      toCountry: location.country,
      distanceKm: String(Math.floor(km)),
      seconds: String(Math.floor(elapsed / 1_000)),
      newCountry: String(isNew),
    },
  };
}

function arrived(
  { places, uses, since }: State,
  row: Observation,
  { country }: Location,
  place: Place | undefined,
  day: number,
  { forgetDays, roamingCountries }: Thresholds,
): Sighting | undefined {
  if (place !== undefined) return undefined;
  const there = places.filter((one) => one.country === country);
  if (there.some(({ lastDay }) => lastDay >= day - forgetDays)) return undefined;
  const isRoaming = new Set(places.map((one) => one.country)).size >= roamingCountries;
  return {
    tier: isRoaming ? 'info' : 'warning',
    kind: 'new_country',
    subject: `${row.actor.type} ${row.actor.id}`,
    seen: `Came from ${countryName(country)}, for the first time in ${there.length > 0 ? counted(forgetDays, 'day') : `${counted(uses, 'use')} over ${spanOf(row.at - since)}`}.`,
    usual: usually(places),
    rows: [row.id],
    detail: { country },
  };
}

/** At most five countries, those of most days first. */
function usually(places: readonly Place[]): string {
  const days = new Map<string, number>();
  for (const place of places) days.set(place.country, (days.get(place.country) ?? 0) + place.days);
  const told = [...days].sort(([, one], [, other]) => other - one).slice(0, 5);
  return `Usually comes from ${told.map(([country]) => countryName(country)).join(', ')}.`;
}

/** The circle that the use came from; `undefined` for a country that nobody knows. */
function areaOf(
  country: string,
  latitude: number | null | undefined,
  longitude: number | null | undefined,
): Circle | undefined {
  if (typeof latitude === 'number' && typeof longitude === 'number')
    return { latitude, longitude, radiusKm: 0 };
  return circleOf(country);
}

const FIELD_DEGREES = 5;

function fieldOf({ latitude, longitude }: Location): number {
  if (latitude === undefined || longitude === undefined) return -1;
  return Math.floor((latitude + 90) / FIELD_DEGREES) * 100 + Math.floor((longitude + 180) / FIELD_DEGREES);
}

function find(places: readonly Place[], country: string, field: number, since: number): Place | undefined {
  for (const place of places)
    if (place.field === field && place.country === country && place.lastDay >= since) return place;
  return undefined;
}

/** In place of the one that was left longest ago, where there are too many. */
function learn(places: Place[], location: Location, day: number): Place {
  const { country } = location;
  const field = fieldOf(location);
  const forgotten = places.findIndex((one) => one.country === country && one.field === field);
  const last = places.length < MAX_PLACES ? places.length : leftLongestAgo(places);
  const place = { country, field, days: 1, lastDay: day };
  places[forgotten >= 0 ? forgotten : last] = place;
  return place;
}

function leftLongestAgo(places: readonly Place[]): number {
  let found = 0;
  for (const [index, { lastDay }] of places.entries())
    if (lastDay < (places[found]?.lastDay ?? 0)) found = index;
  return found;
}

function remember(state: State, row: Observation, location: Location, isFamiliar: boolean): void {
  const { country, latitude = null, longitude = null } = location;
  const { last } = state;
  if (last === undefined) {
    state.last = { row: row.id, at: row.at, country, latitude, longitude, isFamiliar };
  } else if (row.at >= last.at) {
    last.row = row.id;
    last.at = row.at;
    last.country = country;
    last.latitude = latitude;
    last.longitude = longitude;
    last.isFamiliar = isFamiliar;
  }
}

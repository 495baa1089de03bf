import * as z from 'zod';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import type { Observation } from '../observation.ts';
import { countSince, meet, noNames, recentNamesSchema } from '../recent-names.ts';
import { counted, keepRow, spanOf } from '../sentences.ts';
import { shortHash } from '../short-hash.ts';

const MAX_MISSES = 72;
const MAX_NAMESPACES = 32;

const thresholdsSchema = z.strictObject({
  /** So many names that are not there or not allowed, each for the first time, */
  misses: z.int().min(3).max(MAX_MISSES).default(20),
  /** within so many minutes; */
  missMinutes: z.int().min(1).max(1_440).default(10),
  /** or so many */
  slowMisses: z.int().min(3).max(MAX_MISSES).default(30),
  /** within so many days. */
  slowDays: z.int().min(1).max(28).default(7),
  /** So many secrets listed or exported within an hour, */
  listedSecrets: z.int().min(10).max(1_000_000).default(300),
  /** and so many times as many as in the actor's busiest hour before. */
  listedFactor: z.number().min(1).max(100).default(4),
  /** So many namespaces that the actor never touched, within an hour, and half as many as it knows. */
  newNamespaces: z.int().min(2).max(MAX_NAMESPACES).default(3),
  /** Listings and namespaces are only learned for so many days. */
  historyDays: z.int().min(0).max(90).default(7),
  /** So long an actor's doings of one pattern are one alert. */
  quietMinutes: z.int().min(0).max(10_080).default(60),
});

type Thresholds = z.infer<typeof thresholdsSchema>;

const MAX_ROWS = 8;
const rowsSchema = z.array(z.string().max(40)).max(MAX_ROWS);
/** Epoch milliseconds of the last alert of a pattern. */
const toldAtSchema = z.int().min(0);

const stateSchema = z.strictObject({
  since: z.int().min(0),
  misses: z.strictObject({
    names: recentNamesSchema(MAX_MISSES),
    rows: rowsSchema,
    toldAt: toldAtSchema,
  }),
  namespaces: z.strictObject({
    names: recentNamesSchema(MAX_NAMESPACES),
    rows: rowsSchema,
    toldAt: toldAtSchema,
  }),
  listings: z.strictObject({
    /** Hours since the Unix epoch, and what was listed in that one. */
    hour: z.int().min(0),
    secrets: z.int().min(0),
    pages: z.int().min(0),
    /** The most in an hour before; it halves every 90 days. */
    peak: z.number().min(0),
    rows: rowsSchema,
    toldAt: toldAtSchema,
  }),
});

type State = z.infer<typeof stateSchema>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const PEAK_HALF_LIFE_HOURS = 90 * 24;

/** Whoever brings secrets into a namespace knows it from then on, and looked for nothing. */
const BRINGING: ReadonlySet<string> = new Set(['secret.imported', 'secret.created']);

/** Answers that tell somebody who looks around: this is not here, or not for you. */
const MISSES: ReadonlySet<string> = new Set(['not_found', 'forbidden']);

/**
 * An actor looks around: asks for many names that are not there or not for it, at once or over days; walks through the
 * listings; or touches many namespaces that it never touched. `docs/detection/reconnaissance.md` has the rules.
 */
export const reconnaissance: Detector<State, Thresholds> = {
  scope: 'actor',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['missMinutes', 'slowDays'],
  initial: () => ({
    since: 0,
    misses: { names: noNames(), rows: [], toldAt: 0 },
    namespaces: { names: noNames(), rows: [], toldAt: 0 },
    listings: { hour: 0, secrets: 0, pages: 0, peak: 0, rows: [], toldAt: 0 },
  }),

  observe(state, row, thresholds) {
    if (state.since === 0) state.since = row.at;
    const found =
      row.result === 'success' ? lookedAt(state, row, thresholds) : missed(state, row, thresholds);
    return found === undefined ? NOTHING : [found];
  },
};

function missed({ misses }: State, row: Observation, thresholds: Thresholds): Sighting | undefined {
  const { missMinutes, slowDays, quietMinutes } = thresholds;
  const { names, rows, toldAt } = misses;
  if (!MISSES.has(row.detail['code'] ?? '') || !meet(names, hashOf(row), row.at, MAX_MISSES))
    return undefined;
  keepRow(rows, row.id, MAX_ROWS);
  // What an alert tells of, and what comes right after it, gives no reason for another one.
  const told = toldAt + quietMinutes * MINUTE_MS;
  const atOnce = countSince(names, Math.max(told, row.at - missMinutes * MINUTE_MS));
  const slowly = countSince(names, Math.max(told, row.at - slowDays * DAY_MS));
  const isFast = atOnce >= thresholds.misses;
  if (!isFast && slowly < thresholds.slowMisses) return undefined;
  misses.toldAt = row.at;
  const count = isFast ? atOnce : slowly;
  const span = spanOf(isFast ? missMinutes * MINUTE_MS : slowDays * DAY_MS);
  return sighting(row, rows, {
    seen: `Asked within ${span} for ${count} different names that do not exist or that it may not use, each for the first time.`,
    usual: `Fewer than ${thresholds.misses} in ${spanOf(missMinutes * MINUTE_MS)} and ${thresholds.slowMisses} in ${spanOf(slowDays * DAY_MS)}. A name that is asked for again and again counts once.`,
    detail: { pattern: isFast ? 'missing_names' : 'slow_missing_names', names: String(count) },
  });
}

/** What was asked for: where the request names nothing, its route. */
function hashOf({ entity, detail }: Observation): number {
  const named = entity.type === 'workspace' ? (detail['route'] ?? '') : entity.id;
  return shortHash(named, shortHash(detail['namespace'] ?? '', shortHash(entity.type)));
}

function lookedAt(state: State, row: Observation, thresholds: Thresholds): Sighting | undefined {
  const { action, detail } = row;
  const isListing = action === 'secret.listed' || action === 'secret.exported';
  const listed = isListing ? listedMany(state, row, thresholds) : undefined;
  const namespace = detail['namespace'];
  if (namespace === undefined) return listed;
  if (BRINGING.has(action)) {
    meet(state.namespaces.names, shortHash(namespace), row.at, MAX_NAMESPACES);
    return listed;
  }
  return touchedMany(state, row, namespace, thresholds) ?? listed;
}

function listedMany(
  { listings, since }: State,
  row: Observation,
  { listedSecrets, listedFactor, historyDays, quietMinutes }: Thresholds,
): Sighting | undefined {
  const hour = Math.floor(row.at / HOUR_MS);
  if (hour > listings.hour) {
    const halvings = (hour - listings.hour) / PEAK_HALF_LIFE_HOURS;
    listings.peak = Math.max(listings.peak * 0.5 ** halvings, listings.secrets);
    listings.hour = hour;
    listings.secrets = 0;
    listings.pages = 0;
    listings.rows = [];
  }
  listings.secrets += countOf(row);
  listings.pages += 1;
  keepRow(listings.rows, row.id, MAX_ROWS);
  const { secrets, pages, peak, toldAt, rows } = listings;
  const isMuch = secrets >= listedSecrets && secrets >= listedFactor * peak;
  const isQuiet = row.at - toldAt < Math.max(HOUR_MS, quietMinutes * MINUTE_MS);
  if (!isMuch || isQuiet || row.at - since < historyDays * DAY_MS) return undefined;
  listings.toldAt = row.at;
  return sighting(row, rows, {
    seen: `Listed ${counted(secrets, 'secret')} on ${counted(pages, 'page')} within an hour.`,
    usual: `Of late at most about ${counted(Math.round(peak), 'secret')} in an hour.`,
    detail: { pattern: 'listings', secrets: String(secrets), pages: String(pages) },
  });
}

function countOf({ detail }: Observation): number {
  const count = Number(detail['count']);
  return Number.isSafeInteger(count) && count > 0 ? Math.min(count, 1_000_000) : 0;
}

function touchedMany(
  { namespaces, since }: State,
  row: Observation,
  namespace: string,
  { newNamespaces, historyDays, quietMinutes }: Thresholds,
): Sighting | undefined {
  const { names, rows, toldAt } = namespaces;
  // Whoever uses so many has some that it did not use for long, and they are no news.
  const isAllOver = names.hashes.length === MAX_NAMESPACES;
  if (!meet(names, shortHash(namespace), row.at, MAX_NAMESPACES)) return undefined;
  keepRow(rows, row.id, MAX_ROWS);
  if (isAllOver || row.at - since < historyDays * DAY_MS) return undefined;
  const count = countSince(names, Math.max(toldAt + quietMinutes * MINUTE_MS, row.at - HOUR_MS));
  const before = names.hashes.length - count;
  if (count < newNamespaces || 2 * count < before) return undefined;
  namespaces.toldAt = row.at;
  return sighting(row, rows, {
    seen: `Touched ${counted(count, 'namespace')} within an hour that it never touched before.`,
    usual: `It uses ${counted(before, 'namespace')}, known for ${spanOf(row.at - since)}.`,
    detail: { pattern: 'namespaces', namespaces: String(count) },
  });
}

function sighting(
  { actor }: Observation,
  rows: readonly string[],
  facts: Pick<Sighting, 'seen' | 'usual' | 'detail'>,
): Sighting {
  return {
    tier: 'warning',
    kind: 'reconnaissance',
    subject: `${actor.type} ${actor.id}`,
    rows: [...rows],
    ...facts,
  };
}

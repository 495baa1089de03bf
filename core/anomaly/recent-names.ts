import * as z from 'zod';

/**
 * The distinct names that somebody met of late, by their hashes: when each was met for the first time, and on which day
 * for the last time. Three columns, so that a name takes 28 bytes of JSON at most.
 */
export interface RecentNames {
  readonly hashes: number[];
  /** Seconds since the Unix epoch. */
  readonly firsts: number[];
  /** Days since the Unix epoch. */
  readonly days: number[];
}

export function recentNamesSchema(capacity: number): z.ZodType<RecentNames> {
  const column = z.array(z.int().min(0)).max(capacity);
  return z
    .strictObject({ hashes: column, firsts: column, days: column })
    .refine(
      ({ hashes, firsts, days }) => hashes.length === firsts.length && hashes.length === days.length,
      'has columns of different lengths',
    );
}

export function noNames(): RecentNames {
  return { hashes: [], firsts: [], days: [] };
}

const DAY_MS = 86_400_000;
/** What was not met for so many days is new again: a job that runs once a quarter is not. */
const FORGET_DAYS = 120;

/**
 * Notes that a name was met. Where all places are taken, it takes that of the name that was last met longest ago.
 *
 * @param at epoch milliseconds.
 * @returns whether the name is new.
 */
export function meet(names: RecentNames, hash: number, at: number, capacity: number): boolean {
  const { hashes, firsts, days } = names;
  const day = Math.floor(at / DAY_MS);
  const known = hashes.indexOf(hash);
  const place = known >= 0 ? known : hashes.length < capacity ? hashes.length : oldest(names);
  const isNew = known < 0 || day - (days[known] ?? 0) > FORGET_DAYS;
  if (isNew) {
    hashes[place] = hash;
    firsts[place] = Math.floor(at / 1_000);
  }
  days[place] = day;
  return isNew;
}

function oldest({ firsts, days }: RecentNames): number {
  let found = 0;
  for (let index = 1; index < days.length; index += 1) {
    const later = (days[index] ?? 0) - (days[found] ?? 0);
    if (later < 0 || (later === 0 && (firsts[index] ?? 0) < (firsts[found] ?? 0))) found = index;
  }
  return found;
}

/** How many of the names were met for the first time after an instant, in epoch milliseconds. */
export function countSince({ firsts }: RecentNames, after: number): number {
  let count = 0;
  for (const first of firsts) if (first * 1_000 > after) count += 1;
  return count;
}

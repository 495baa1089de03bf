import * as z from 'zod';
import { networkOf } from '../../identity/network.ts';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import { type FailedAttempts, readFailedAttempts } from '../failed-attempts.ts';
import type { Observation } from '../observation.ts';
import { counted, keepRow, spanOf } from '../sentences.ts';
import { shortHash } from '../short-hash.ts';

const MAX_FAILURES = 16;

const thresholdsSchema = z.strictObject({
  /** So many failures from one address */
  failures: z.int().min(2).max(MAX_FAILURES).default(5),
  /** within so many minutes; */
  windowMinutes: z.int().min(1).max(60).default(10),
  /** or on so many different accounts within a day; */
  accounts: z.int().min(2).max(MAX_FAILURES).default(5),
  /** or so many failures within a week */
  slowFailures: z.int().min(2).max(MAX_FAILURES).default(10),
  /** on at least so many days. */
  slowDays: z.int().min(2).max(7).default(3),
  /** So long, an address that goes on is told of once. */
  quietMinutes: z.int().min(0).max(1_440).default(60),
});

type Thresholds = z.infer<typeof thresholdsSchema>;

const MAX_ADDRESSES = 50;
const MAX_SUCCESSES = 4;
const MAX_KNOWN = 600;
const MAX_ROWS = 6;

const hashSchema = z.int().min(0).max(0xffffffff);
/** Seconds since the Unix epoch. */
const secondsSchema = z.int().min(0);

const attemptSchema = z.strictObject({ at: secondsSchema, account: hashSchema });

const addressSchema = z.strictObject({
  /** An IPv4 address, or a network of IPv6. */
  address: z.string().max(80),
  /** The latest failures that nothing excuses. */
  failures: z.array(attemptSchema).max(MAX_FAILURES),
  /** Who succeeded of late: repeats of what failed before that are recorded minutes after it. */
  successes: z.array(attemptSchema).max(MAX_SUCCESSES),
  rows: z.array(z.string().max(40)).max(MAX_ROWS),
  /** 0 for an address that was not told of. */
  toldAt: secondsSchema,
});

type Address = z.infer<typeof addressSchema>;
type Attempt = z.infer<typeof attemptSchema>;

const stateSchema = z.strictObject({
  addresses: z.array(addressSchema).max(MAX_ADDRESSES),
  /** Which accounts logged in from which address before, as hashes of both together; the oldest first. */
  known: z.array(hashSchema).max(MAX_KNOWN),
});

type State = z.infer<typeof stateSchema>;

const MINUTE = 60;
const DAY = 24 * 60 * MINUTE;
const WEEK = 7 * DAY;

/**
 * One address fails again and again: five times within ten minutes, on five accounts within a day, or over days. A login
 * that succeeds takes back what its account failed with before, as long as that gave no reason for an alert; after
 * an alert it is what the attacker wanted. `docs/detection/brute-force.md` has the rules.
 */
export const bruteForce: Detector<State, Thresholds> = {
  scope: 'workspace',
  state: stateSchema,
  thresholds: thresholdsSchema,
  weakerWhenLower: ['windowMinutes'],
  initial: () => ({ addresses: [], known: [] }),

  observe(state, row, thresholds) {
    if (isLogin(row)) return succeeded(state, row);
    const failed = readFailedAttempts(row);
    return failed === undefined ? NOTHING : fail(state, row, failed, thresholds);
  },
};

/** The right password, whatever has to follow; a code that a client redeems was no login. */
function isLogin({ action, result, detail }: Observation): boolean {
  switch (action) {
    case 'authentication.succeeded':
      return result === 'success' && detail['method'] !== 'oauth';
    case 'authentication.mfa_required':
    case 'authentication.stepped_up':
      return result === 'success';
    default:
      return false;
  }
}

function fail(
  state: State,
  row: Observation,
  { at, count, address, account, isSpent }: FailedAttempts,
  thresholds: Thresholds,
): readonly Sighting[] {
  if (address === undefined || address === '-' || count === 0) return NOTHING;
  const seconds = Math.floor(at / 1_000);
  const name = networkOf(address).slice(0, 80);
  const found = state.addresses.find((one) => one.address === name);
  const now = Math.floor(row.at / 1_000);
  if (found !== undefined && isExcused(found, now, seconds, account)) return NOTHING;
  if (isSpent && found?.failures.some((one) => one.account === account)) return NOTHING;
  const entry = found ?? addAddress(state.addresses, name, now);
  const failures = isSpent ? 1 : Math.min(count, MAX_FAILURES);
  for (let index = 0; index < failures; index += 1) entry.failures.push({ at: seconds, account });
  entry.failures.sort((one, other) => one.at - other.at);
  entry.failures.splice(0, entry.failures.length - MAX_FAILURES);
  keepRow(entry.rows, row.id, MAX_ROWS);
  return judge(entry, now, seconds, thresholds);
}

/** Whether the address gave reason for an alert within a day. */
function isSuspect({ toldAt }: Address, now: number): boolean {
  return toldAt !== 0 && now - toldAt <= DAY;
}

/** Failures of somebody who has succeeded since are typing errors. */
function isExcused(entry: Address, now: number, seconds: number, account: number): boolean {
  const isError = entry.successes.some((one) => one.account === account && one.at >= seconds);
  return isError && !isSuspect(entry, now);
}

function addAddress(addresses: Address[], address: string, now: number): Address {
  const entry: Address = { address, failures: [], successes: [], rows: [], toldAt: 0 };
  if (addresses.length === MAX_ADDRESSES) addresses.splice(leastInteresting(addresses, now), 1);
  addresses.push(entry);
  return entry;
}

/**
 * Of the half that has been quiet longest, the one with the fewest failures: neither do many others push out an address
 * that fails often, nor do addresses that have failed often keep newer ones from being counted.
 */
function leastInteresting(addresses: readonly Address[], now: number): number {
  const byQuiet = addresses
    .map(({ failures }, index) => {
      const last = failures.at(-1)?.at ?? 0;
      return { index, last, count: last > now - WEEK ? failures.length : 0 };
    })
    .sort((one, other) => one.last - other.last)
    .slice(0, MAX_ADDRESSES / 2);
  const [first] = byQuiet.sort((one, other) => one.count - other.count);
  return first?.index ?? 0;
}

function judge(entry: Address, now: number, seconds: number, thresholds: Thresholds): readonly Sighting[] {
  const isOver = ({ at }: Attempt) => at <= now - WEEK;
  while (entry.failures[0] !== undefined && isOver(entry.failures[0])) entry.failures.shift();
  // What an alert tells of, and what comes right after it, gives no reason for another one.
  const told = entry.toldAt === 0 ? 0 : entry.toldAt + thresholds.quietMinutes * MINUTE;
  const untold = entry.failures.filter(({ at }) => at > told);
  const pattern = patternOf(untold, seconds, thresholds);
  if (pattern === undefined) return NOTHING;
  entry.toldAt = now;
  return [sighting(entry, pattern, 'warning')];
}

type Pattern = 'fast' | 'many_accounts' | 'slow';

function patternOf(
  week: readonly Attempt[],
  seconds: number,
  { failures, windowMinutes, accounts, slowFailures, slowDays }: Thresholds,
): Pattern | undefined {
  const isWithin = (span: number) => (one: Attempt) => Math.abs(one.at - seconds) < span;
  if (week.filter(isWithin(windowMinutes * MINUTE)).length >= failures) return 'fast';
  if (accountsIn(week.filter(isWithin(DAY))) >= accounts) return 'many_accounts';
  const days = new Set(week.map(({ at }) => Math.floor(at / DAY))).size;
  return week.length >= slowFailures && days >= slowDays ? 'slow' : undefined;
}

function accountsIn(failures: readonly Attempt[]): number {
  return new Set(failures.flatMap(({ account }) => (account === 0 ? [] : [account]))).size;
}

function succeeded(state: State, row: Observation): readonly Sighting[] {
  const name = networkOf(row.ip).slice(0, 80);
  const account = shortHash(row.actor.id);
  const isKnown = remember(state.known, shortHash(name, account));
  const index = state.addresses.findIndex((one) => one.address === name);
  const entry = state.addresses[index];
  if (entry === undefined) return NOTHING;
  const now = Math.floor(row.at / 1_000);
  if (!isSuspect(entry, now)) {
    excuse(entry, now, account);
    return NOTHING;
  }
  keepRow(entry.rows, row.id, MAX_ROWS);
  return isKnown ? NOTHING : [sighting(entry, 'success', 'critical', row.actor.id)];
}

/** Whether an account logged in from there before; from now on it did. */
function remember(known: number[], hash: number): boolean {
  const index = known.lastIndexOf(hash);
  if (index >= 0) known.splice(index, 1);
  known.push(hash);
  if (known.length > MAX_KNOWN) known.shift();
  return index >= 0;
}

function excuse(entry: Address, now: number, account: number): void {
  const kept = entry.failures.filter((one) => one.account !== account);
  entry.failures.splice(0, entry.failures.length, ...kept);
  const others = entry.successes.filter((one) => one.account !== account);
  entry.successes.splice(0, entry.successes.length, ...others.slice(1 - MAX_SUCCESSES), { at: now, account });
}

function sighting(
  { address, failures, rows }: Address,
  pattern: Pattern | 'success',
  tier: 'warning' | 'critical',
  userId?: string,
): Sighting {
  const first = failures[0]?.at ?? 0;
  const last = failures.at(-1)?.at ?? 0;
  const accounts = accountsIn(failures);
  const count = `${failures.length === MAX_FAILURES ? 'at least ' : ''}${counted(failures.length, 'failed login')}`;
  const failed = `${count} from ${address} within ${spanOf((last - first) * 1_000)}, on ${accounts === 0 ? 'unknown accounts' : counted(accounts, 'known account')}`;
  return {
    tier,
    kind: 'brute_force',
    subject: `address ${address}`,
    seen:
      userId === undefined ? `${failed}.` : `${failed}; then the password of user ${userId} was right there.`,
    usual:
      userId === undefined
        ? 'A person mistypes once or twice, and then gets in.'
        : `No earlier login of user ${userId} from there is known.`,
    rows: [...rows],
    detail: {
      pattern,
      failures: String(failures.length),
      accounts: String(accounts),
      ...(userId === undefined ? {} : { userId: userId.slice(0, 128) }),
    },
  };
}

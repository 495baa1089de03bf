import * as z from 'zod';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import { addDistinct, distinctCount, distinctCountSchema, noneMet } from '../distinct-count.ts';
import { type FailedAttempts, readFailedAttempts } from '../failed-attempts.ts';
import { beginHistory, countAt, type HourHistory, hourHistorySchema, recordHour } from '../hour-history.ts';
import { clockTime, DAY_HOURS, HOUR_MS, hourOf } from '../hour-of-week.ts';
import type { Observation } from '../observation.ts';
import { counted, figure, keepRow } from '../sentences.ts';
import { shortHash } from '../short-hash.ts';

const thresholdsSchema = z.strictObject({
  /** Fewer failures in an hour are never a spike, */
  minFailures: z.int().min(5).max(100_000).default(20),
  /** unless they are on so many accounts. */
  minAccounts: z.int().min(3).max(10_000).default(10),
  /** How many times the usual is still usual. */
  factor: z.number().min(1.5).max(100).default(3),
  /** While less is known than so many days, */
  historyDays: z.int().min(1).max(28).default(7),
  /** the two minima are so many times as high, and nothing else counts. */
  coldStartFactor: z.number().min(1).max(100).default(5),
});

type Thresholds = z.infer<typeof thresholdsSchema>;

const MAX_ROWS = 20;

const stateSchema = z.strictObject({
  /** What failed in each hour that is over. */
  failures: hourHistorySchema,
  /** On how many accounts. */
  accounts: hourHistorySchema,
  /** The hour at hand, */
  hour: z.int().min(0),
  /** its failures, and those of the hour before; */
  count: z.int().min(0),
  countBefore: z.int().min(0),
  triedAccounts: distinctCountSchema,
  addresses: distinctCountSchema,
  /** Addresses of which no more is known than that they were others. */
  otherAddresses: z.int().min(0),
  /** what is usual in it, and the limits. */
  usualFailures: z.number().min(0),
  usualAccounts: z.number().min(0),
  failureLimit: z.number().min(0),
  accountLimit: z.number().min(0),
  rows: z.array(z.string().max(40)).max(MAX_ROWS),
  /** 0, 1 once a spike was told of, 2 once it was told to be critical. */
  level: z.int().min(0).max(2),
  toldHour: z.int().min(0),
});

type State = z.infer<typeof stateSchema>;

/** So many times the limit is critical. */
const CRITICAL_FACTOR = 10;

/**
 * Far more logins fail in the workspace than is usual at this time of the day, or on far more accounts, from however
 * many addresses. `docs/detection/login-spike.md` has the rule.
 */
export const loginSpike: Detector<State, Thresholds> = {
  scope: 'workspace',
  state: stateSchema,
  thresholds: thresholdsSchema,
  initial: () => ({
    failures: beginHistory(0),
    accounts: beginHistory(0),
    hour: 0,
    count: 0,
    countBefore: 0,
    triedAccounts: noneMet(),
    addresses: noneMet(),
    otherAddresses: 0,
    usualFailures: 0,
    usualAccounts: 0,
    failureLimit: 0,
    accountLimit: 0,
    rows: [],
    level: 0,
    toldHour: 0,
  }),

  observe(state, row, thresholds) {
    if (state.hour === 0) begin(state, hourOf(row.at), thresholds);
    const failed = readFailedAttempts(row);
    if (failed === undefined || failed.isSpent) return NOTHING;
    const hour = hourOf(row.at);
    if (hour > state.hour) nextHour(state, hour, thresholds);
    take(state, row, failed);
    return judge(state, row, thresholds);
  },
};

function begin(state: State, hour: number, thresholds: Thresholds): void {
  state.failures = beginHistory(hour);
  state.accounts = beginHistory(hour);
  state.hour = hour;
  setLimits(state, thresholds);
}

/** What was beyond the limits is remembered as the limits: an attack does not become usual. */
function nextHour(state: State, hour: number, thresholds: Thresholds): void {
  recordHour(state.failures, state.hour, Math.min(state.count, Math.ceil(state.failureLimit)));
  const accounts = distinctCount(state.triedAccounts);
  recordHour(state.accounts, state.hour, Math.min(accounts, Math.ceil(state.accountLimit)));
  const isOver = Math.max(state.count, state.countBefore) < state.failureLimit / 2;
  if (hour > state.hour + 1 || (isOver && accounts < state.accountLimit / 2)) state.level = 0;
  if (hour - state.toldHour >= DAY_HOURS) state.level = 0;
  state.countBefore = hour === state.hour + 1 ? state.count : 0;
  state.hour = hour;
  state.count = 0;
  state.triedAccounts = noneMet();
  state.addresses = noneMet();
  state.otherAddresses = 0;
  state.rows = [];
  setLimits(state, thresholds);
}

function setLimits(state: State, thresholds: Thresholds): void {
  const { minFailures, minAccounts, factor, historyDays, coldStartFactor } = thresholds;
  const cold = isCold(state, historyDays);
  state.usualFailures = cold ? 0 : usualAt(state.failures, state.hour);
  state.usualAccounts = cold ? 0 : usualAt(state.accounts, state.hour);
  const least = cold ? coldStartFactor : 1;
  state.failureLimit = Math.max(least * minFailures, factor * state.usualFailures);
  state.accountLimit = Math.max(least * minAccounts, factor * state.usualAccounts);
}

function isCold({ hour, failures }: State, historyDays: number): boolean {
  return hour - failures.since < historyDays * DAY_HOURS;
}

/** The 90th percentile of what was counted at this hour of the day and the ones beside it, on all days that are known. */
function usualAt(history: HourHistory, hour: number): number {
  const counts: number[] = [];
  for (let same = hour - DAY_HOURS; same > history.since; same -= DAY_HOURS)
    counts.push(countAt(history, same - 1), countAt(history, same), countAt(history, same + 1));
  return counts.sort((one, other) => other - one)[Math.floor(counts.length / 10)] ?? 0;
}

function take(state: State, row: Observation, { count, account, address, addresses }: FailedAttempts): void {
  state.count += count;
  if (account !== 0) addDistinct(state.triedAccounts, account);
  if (address === undefined) state.otherAddresses += addresses;
  else addDistinct(state.addresses, shortHash(address));
  keepRow(state.rows, row.id, MAX_ROWS);
}

function judge(state: State, row: Observation, thresholds: Thresholds): readonly Sighting[] {
  // The last sixty minutes, as far as that can be told from two counts: a spike may lie astride the full hour.
  const passed = (row.at % HOUR_MS) / HOUR_MS;
  const failures = Math.round(state.count + state.countBefore * (1 - passed));
  const accounts = distinctCount(state.triedAccounts);
  const excess = Math.max(failures / state.failureLimit, accounts / state.accountLimit);
  const level = excess >= CRITICAL_FACTOR ? 2 : excess >= 1 ? 1 : 0;
  if (level <= state.level) return NOTHING;
  state.level = level;
  state.toldHour = state.hour;
  const addresses = distinctCount(state.addresses) + state.otherAddresses;
  return [
    {
      tier: level === 2 ? 'critical' : 'warning',
      kind: 'failed_login_spike',
      subject: 'failed logins',
      seen: `${counted(failures, 'failed login')} within an hour, on ${accounts === 0 ? 'unknown accounts' : counted(accounts, 'known account')}, from ${addresses === 1 ? '1 address' : `about ${figure(addresses)} addresses`}.`,
      usual: usualSentence(state, thresholds),
      rows: [...state.rows],
      detail: {
        failures: String(failures),
        accounts: String(accounts),
        addresses: String(addresses),
        failureLimit: String(Math.ceil(state.failureLimit)),
        accountLimit: String(Math.ceil(state.accountLimit)),
      },
    },
  ];
}

function usualSentence(state: State, { historyDays }: Thresholds): string {
  const { hour, failures, usualFailures, usualAccounts, failureLimit, accountLimit } = state;
  const limits = `It is a spike from ${Math.ceil(failureLimit)} failures or ${Math.ceil(accountLimit)} accounts on.`;
  if (isCold(state, historyDays))
    return `Less than ${counted(historyDays, 'day')} of this workspace are known. ${limits}`;
  const days = Math.floor((hour - failures.since) / DAY_HOURS);
  return `In ${counted(days, 'day')}, around ${clockTime(hour)} UTC, there were mostly at most ${counted(usualFailures, 'failure')} an hour, on ${counted(usualAccounts, 'account')}. ${limits}`;
}

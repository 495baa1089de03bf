import type { Observation } from './observation.ts';
import { shortHash } from './short-hash.ts';

/** What a row tells of failed attempts to get in. */
export interface FailedAttempts {
  /** Epoch milliseconds; of repeats, the beginning of the minute that they were counted in. */
  readonly at: number;
  readonly count: number;
  /** `undefined` for the rest of a minute, where too many addresses came to be told one by one. */
  readonly address: string | undefined;
  /** How many addresses the attempts came from. */
  readonly addresses: number;
  /** Whose account or key was tried, as a hash; 0 where that is not known. */
  readonly account: number;
  /** Whether it was a credential that had been good, which is no guess: one counts once. */
  readonly isSpent: boolean;
}

/**
 * Reasons for which somebody can fail who guesses. The others come about in daily work: sessions end, clients send
 * nothing or garbage, links are over, requests come too often.
 */
const GUESSES: ReadonlySet<string> = new Set([
  'unknown_account',
  'wrong_password',
  'login_locked',
  'mfa_code',
  'reset_of_unknown_account',
  'setup_token',
  'unknown',
  'code_verifier',
  'many_sources',
]);

const SPENT: ReadonlySet<string> = new Set(['revoked', 'expired', 'honeypot']);

/** How a wrong proof of identity within a session fails. */
const WRONG_PROOFS: ReadonlySet<string> = new Set(['login_refused', 'code_refused', 'login_locked']);

/** Repeats are recorded within an hour of their minute (`core/identity/sweep-tallies.ts`), else the row's time is taken. */
const MAX_DELAY_MS = 2 * 3_600_000;
const MAX_COUNT = 1_000_000;

/** The failed attempts in a row; `undefined` for nearly all rows. */
export function readFailedAttempts(row: Observation): FailedAttempts | undefined {
  if (row.action === 'authentication.failed') return readFailure(row);
  if (row.action !== 'authentication.stepped_up' || row.result === 'success') return undefined;
  if (!WRONG_PROOFS.has(row.detail['code'] ?? '')) return undefined;
  return single(row, shortHash(row.actor.id), false);
}

function readFailure(row: Observation): FailedAttempts | undefined {
  const { detail, entity } = row;
  const reason = detail['reason'] ?? '';
  const isSpent = SPENT.has(reason);
  if (!isSpent && !GUESSES.has(reason)) return undefined;
  if (reason === 'many_sources') {
    return {
      at: minuteOf(row),
      count: numberIn(detail['failures']),
      address: undefined,
      addresses: numberIn(detail['otherSources']),
      account: 0,
      isSpent,
    };
  }
  const account = entity.type === 'workspace' ? (detail['userId'] ?? detail['keyId']) : entity.id;
  const hash = account === undefined ? 0 : shortHash(account);
  if (detail['repeats'] === undefined) return single(row, hash, isSpent);
  return {
    at: minuteOf(row),
    count: numberIn(detail['repeats']),
    address: detail['sourceIp'],
    addresses: 1,
    account: hash,
    isSpent,
  };
}

function single(row: Observation, account: number, isSpent: boolean): FailedAttempts {
  return { at: row.at, count: 1, address: row.ip, addresses: 1, account, isSpent };
}

function minuteOf({ at, detail }: Observation): number {
  const minute = Date.parse(detail['minute'] ?? '');
  return minute <= at && at - minute <= MAX_DELAY_MS ? minute : at;
}

function numberIn(text: string | undefined): number {
  const count = Number(text);
  return Number.isSafeInteger(count) && count > 0 ? Math.min(count, MAX_COUNT) : 0;
}

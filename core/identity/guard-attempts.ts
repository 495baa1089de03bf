import { type ErrorCode, unavailable, VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { AttemptRecords, FailureRecord } from './bookkeeping.ts';
import { addFailure, LOCK_MS, lockedUntil, removeFailure, WINDOW_MS } from './lockout.ts';
import type { Session } from './session.ts';
import { emailId, type User } from './user.ts';

interface Parts {
  readonly bookkeeping: AttemptRecords;
  readonly clock: Clock;
}

/** One guess at a password or code, which counts as a failure until it turns out right. */
export interface Attempt {
  /** It was no failure, but nothing is completed either: earlier failures stay. */
  giveBack(): Promise<void>;
  /** A login is completed: all failures are forgotten. */
  clear(): Promise<void>;
  /** Gives the attempt back if this work fails for want of a service: nobody has learned anything then. */
  whileUndecided<T>(work: Promise<T>): Promise<T>;
}

const OUTAGES: ReadonlySet<ErrorCode> = new Set(['unavailable', 'key_unavailable']);

/** Nobody loses more races than there are failures before a lock; the rest is for callers that give attempts back. */
const MAX_ROUNDS = 50;

/**
 * Books a guess before it is looked at, so that no more than ten are under way at once however many come together.
 * The record is replaced on condition that nobody else did meanwhile.
 *
 * @param key what is counted together: an account, from one of its known devices or from elsewhere.
 * @throws VaultError `login_locked` with the seconds until the lock ends.
 */
export async function bookAttempt(parts: Parts, key: string): Promise<Attempt> {
  const now = parts.clock.now();
  await replace(parts, key, (failures) => {
    const until = lockedUntil(failures, now);
    if (until !== undefined) throw locked(until - now);
    return addFailure(failures, now);
  });
  const giveBack = () => replace(parts, key, (failures) => removeFailure(failures, now));
  return {
    giveBack,
    clear: () => replace(parts, key, () => []),
    whileUndecided: (work) =>
      work.catch(async (error) => {
        // If this fails too, the attempt counts: when in doubt, closed.
        if (error instanceof VaultError && OUTAGES.has(error.code)) await giveBack().catch(() => undefined);
        throw error;
      }),
  };
}

/** Under which key wrong proofs within a login are counted, whatever workspaces it moves through. */
export function sessionAttemptKey(
  { email }: Pick<User, 'email'>,
  { loginId }: Pick<Session, 'loginId'>,
): string {
  return `${emailId(email)}#${loginId}`;
}

async function replace(
  { bookkeeping, clock }: Parts,
  key: string,
  change: (failures: readonly number[]) => readonly number[],
): Promise<void> {
  let record: FailureRecord = await bookkeeping.failures(key);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const failures = change(record.failures);
    if (failures.length === 0 && record.failures.length === 0) return;
    const expiresAt = clock.now() + WINDOW_MS + LOCK_MS;
    const other = await bookkeeping.replaceFailures(key, record.version, failures, expiresAt);
    if (other === undefined) return;
    record = other;
  }
  throw unavailable('Too many logins of one account at once. Try again.');
}

function locked(milliseconds: number): VaultError {
  const retryAfter = Math.max(1, Math.ceil(milliseconds / 1000));
  const minutes = Math.ceil(retryAfter / 60);
  return new VaultError(
    'login_locked',
    `Too many failed attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}.`,
    { retryAfter },
  );
}

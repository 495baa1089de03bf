import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import type { AttemptRecords } from './bookkeeping.ts';
import type { Caller } from './caller.ts';
import { type Attempt, bookAttempt } from './guard-attempts.ts';
import { homesOf } from './person.ts';
import { type RecordFailureParts, recordFailedAuthentication } from './record-failed-authentication.ts';
import type { User } from './user.ts';

/**
 * Records a failed login in the trail of every workspace of the person concerned, all at once, or in the platform's if
 * there is no such person: it takes as long either way.
 */
export async function recordFailedLogin(
  parts: RecordFailureParts & { readonly store: Store },
  user: User | undefined,
  reason: string,
  caller: Caller,
): Promise<void> {
  const homes = await homesOf(parts.store, user ?? NOBODY);
  const subjects =
    user === undefined || homes.length === 0
      ? [undefined]
      : homes.map((workspaceId) => ({ workspaceId, type: 'user', id: user.id }) as const);
  await Promise.all(
    subjects.map((subject) => recordFailedAuthentication(parts, { ...caller, subject, reason })),
  );
}

/** Looked up in place of somebody who does not exist: as many reads as for a person of one workspace. */
const NOBODY = { id: '-', workspaceIds: ['-'] } as const;

/**
 * Books a login attempt; one that meets a lock is recorded.
 *
 * @throws VaultError `login_locked`
 */
export async function bookLogin(
  parts: RecordFailureParts & { readonly store: Store; readonly bookkeeping: AttemptRecords },
  key: string,
  user: User | undefined,
  caller: Caller,
): Promise<Attempt> {
  try {
    return await bookAttempt(parts, key);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'login_locked')
      await recordFailedLogin(parts, user, 'login_locked', caller);
    throw error;
  }
}

/** The one answer for an unknown account and a wrong password. */
export function loginRefused(): VaultError {
  return new VaultError('login_refused', 'The e-mail address or the password is wrong.');
}

/** The one answer for a code that is wrong, was used already or belongs to a login that is over. */
export function codeRefused(): VaultError {
  return new VaultError(
    'code_refused',
    'This code is wrong or was used already. Wait for the next one, or log in again.',
  );
}

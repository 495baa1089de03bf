import type { PlanCounts } from '../plans/plan-counts.ts';

/**
 * The few writes that bypass the audit trail: marks and counters whose loss no tenant would miss.
 *
 * @throws VaultError `unavailable`
 */
export interface Bookkeeping extends SessionMarks, AttemptRecords, PlanCounts {
  /** Notes that a key was used now, unless it was noted less than five minutes ago. */
  markKeyUsed(workspaceId: string, keyId: string, now: number): Promise<void>;
  /** When each of at most 100 keys was last used, as a timestamp; keys never used are left out. */
  lastUsed(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Counts one more of this in its minute, and says how many there are now. */
  count(tally: TallyKey): Promise<number>;
  /** All counts of one minute. */
  tallies(minute: number): Promise<readonly Tally[]>;
  /** The first minute that was not swept yet. */
  sweptUntil(): Promise<number | undefined>;
  markSwept(minute: number): Promise<void>;
}

/** When sessions were last used. A session without a mark counts as idle: whoever loses marks only has to log in. */
export interface SessionMarks {
  /** Notes that a session is used now, for the first time. `expiresAt`: epoch milliseconds after which nobody asks. */
  startSession(sessionId: string, now: number, expiresAt: number): Promise<void>;
  /** Notes that a session is used now, if it was used after `since`; says whether it was. One atomic step. */
  touchSession(sessionId: string, now: number, since: number): Promise<boolean>;
  /** When each of at most 100 sessions was last used, in epoch milliseconds; those without a mark are left out. */
  sessionsSeen(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

/** Failed logins of an account, and requests counted against a limit. */
export interface AttemptRecords {
  /** The times of failures under a key, in epoch milliseconds, and the version to replace them by. */
  failures(key: string): Promise<FailureRecord>;
  /**
   * Replaces them if nobody else has since. `expiresAt`: epoch milliseconds after which they no longer matter.
   *
   * @returns `undefined` when replaced, else what is there now.
   */
  replaceFailures(
    key: string,
    version: number,
    failures: readonly number[],
    expiresAt: number,
  ): Promise<FailureRecord | undefined>;
  /** Counts one more request under a key in a minute (since the Unix epoch), and says how many there are now. */
  countRequest(key: string, minute: number): Promise<number>;
}

export interface FailureRecord {
  /** 0 when there is no record. */
  readonly version: number;
  readonly failures: readonly number[];
}

/** What is counted together: the same failure from the same address in the same minute. */
export interface TallyKey {
  /** Minutes since the Unix epoch. */
  readonly minute: number;
  readonly workspaceId: string;
  readonly ip: string;
  readonly reason: string;
}

export interface Tally extends TallyKey {
  readonly count: number;
}

export const MARK_INTERVAL_MS = 5 * 60 * 1000;

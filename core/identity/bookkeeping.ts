/**
 * The few writes that bypass the audit trail: marks and counters whose loss no tenant would miss.
 *
 * @throws VaultError `unavailable`
 */
export interface Bookkeeping {
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

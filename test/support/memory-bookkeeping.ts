import {
  type Bookkeeping,
  type FailureRecord,
  MARK_INTERVAL_MS,
  type Tally,
  type TallyKey,
} from '../../core/identity/bookkeeping.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import type { Month } from '../../core/plans/month.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** The `Bookkeeping` port in memory; its calls have the faults of `tables`. */
export class MemoryBookkeeping implements Bookkeeping {
  /** Epoch milliseconds of the last mark, by workspace and key. */
  readonly #used = new Map<string, number>();
  readonly #tallies = new Map<string, Tally>();
  readonly #tables: MemoryTables;
  readonly #seen = new Map<string, number>();
  readonly #failures = new Map<string, FailureRecord>();
  readonly #requests = new Map<string, number>();
  readonly #secrets = new Map<string, number>();
  /** By workspace, then by month. */
  readonly #months = new Map<string, ReadonlyMap<Month, number>>();
  #swept: number | undefined;

  constructor(tables: MemoryTables) {
    this.#tables = tables;
  }

  markKeyUsed(workspaceId: string, keyId: string, now: number): Promise<void> {
    return this.#tables.call('bookkeeping.markKeyUsed', () => {
      const name = `${workspaceId}#${keyId}`;
      const last = this.#used.get(name);
      if (last === undefined || now - last >= MARK_INTERVAL_MS) this.#used.set(name, now);
    });
  }

  lastUsed(workspaceId: string, keyIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#tables.call('bookkeeping.lastUsed', () => {
      const marks = keyIds.map((keyId) => [keyId, this.#used.get(`${workspaceId}#${keyId}`)] as const);
      return new Map(marks.flatMap(([keyId, at]) => (at === undefined ? [] : [[keyId, timestamp(at)]])));
    });
  }

  count(tally: TallyKey): Promise<number> {
    return this.#tables.call('bookkeeping.count', () => {
      const name = [tally.minute, tally.workspaceId, tally.ip, tally.reason].join('#');
      const count = (this.#tallies.get(name)?.count ?? 0) + 1;
      this.#tallies.set(name, { ...tally, count });
      return count;
    });
  }

  tallies(minute: number): Promise<readonly Tally[]> {
    return this.#tables.call('bookkeeping.tallies', () =>
      [...this.#tallies.values()].filter((tally) => tally.minute === minute),
    );
  }

  sweptUntil(): Promise<number | undefined> {
    return this.#tables.call('bookkeeping.sweptUntil', () => this.#swept);
  }

  markSwept(minute: number): Promise<void> {
    return this.#tables.call('bookkeeping.markSwept', () => {
      this.#swept = minute;
    });
  }

  startSession(sessionId: string, now: number): Promise<void> {
    return this.#tables.call('bookkeeping.startSession', () => {
      this.#seen.set(sessionId, now);
    });
  }

  touchSession(sessionId: string, now: number, since: number): Promise<boolean> {
    return this.#tables.call('bookkeeping.touchSession', () => {
      const seen = this.#seen.get(sessionId);
      if (seen === undefined || seen <= since) return false;
      this.#seen.set(sessionId, now);
      return true;
    });
  }

  sessionsSeen(sessionIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#tables.call('bookkeeping.sessionsSeen', () => {
      const marks = sessionIds.map((id) => [id, this.#seen.get(id)] as const);
      return new Map(marks.flatMap(([id, at]) => (at === undefined ? [] : [[id, at]])));
    });
  }

  failures(key: string): Promise<FailureRecord> {
    return this.#tables.call(
      'bookkeeping.failures',
      () => this.#failures.get(key) ?? { version: 0, failures: [] },
    );
  }

  replaceFailures(
    key: string,
    version: number,
    failures: readonly number[],
  ): Promise<FailureRecord | undefined> {
    return this.#tables.call('bookkeeping.replaceFailures', () => {
      const current = this.#failures.get(key) ?? { version: 0, failures: [] };
      if (current.version !== version) return current;
      this.#failures.set(key, { version: version + 1, failures: [...failures] });
      return undefined;
    });
  }

  countRequest(key: string, minute: number): Promise<number> {
    return this.#tables.call('bookkeeping.countRequest', () => {
      const name = `${minute}#${key}`;
      const count = (this.#requests.get(name) ?? 0) + 1;
      this.#requests.set(name, count);
      return count;
    });
  }

  secretCount(workspaceId: string): Promise<number> {
    return this.#tables.call('bookkeeping.secretCount', () =>
      Math.max(0, this.#secrets.get(workspaceId) ?? 0),
    );
  }

  addSecrets(workspaceId: string, difference: number): Promise<number> {
    return this.#tables.call('bookkeeping.addSecrets', () => {
      const count = (this.#secrets.get(workspaceId) ?? 0) + difference;
      this.#secrets.set(workspaceId, count);
      return count;
    });
  }

  setSecretCount(workspaceId: string, count: number): Promise<void> {
    return this.#tables.call('bookkeeping.setSecretCount', () => {
      this.#secrets.set(workspaceId, count);
    });
  }

  rowsBefore(workspaceId: string): Promise<ReadonlyMap<Month, number>> {
    return this.#tables.call('bookkeeping.rowsBefore', () => this.#months.get(workspaceId) ?? new Map());
  }

  noteRowsBefore(workspaceId: string, month: Month, rows: number): Promise<void> {
    return this.#tables.call('bookkeeping.noteRowsBefore', () => {
      this.#months.set(workspaceId, new Map(this.#months.get(workspaceId)).set(month, rows));
    });
  }
}

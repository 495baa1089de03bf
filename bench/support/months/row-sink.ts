import type { Observation } from '../../../core/anomaly/observation.ts';
import type { Action, Actor, Result } from '../../../core/audit/event.ts';
import type { AlertKind } from '../../../core/detection/alert.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import type { Source } from './company.ts';
import { WEEK } from './places.ts';

/** Something that was done on purpose, and that has to be found. */
export interface Attack {
  readonly name: string;
  readonly workspaceId: string;
  /** Any of these finds it. */
  readonly finds: readonly AlertKind[];
  /** Ids and addresses that an alert about it names. */
  readonly subjects: Set<string>;
  firstAt: number;
  lastAt: number;
}

export interface MadeRow {
  readonly row: Observation;
  readonly attack: Attack | undefined;
}

export interface Deed {
  readonly at: number;
  readonly actor: Actor;
  readonly source: Source;
  readonly action: Action;
  readonly entity: Observation['entity'];
  readonly detail?: Observation['detail'];
  readonly result?: Result;
}

/** A failed attempt to get in, before it is folded. */
export interface Attempt {
  readonly at: number;
  readonly source: Source;
  readonly reason: string;
  readonly userId?: string;
  readonly keyId?: string;
}

type Unnumbered = Omit<Observation, 'id'>;

const MINUTE = 60_000;
/** As `core/identity/record-failed-authentication.ts` has it. */
const SOURCES_A_MINUTE = 30;

/** Where rows are collected until their week is complete. */
export class RowSink {
  readonly #workspaceId: string;
  readonly #withCoordinates: boolean;
  readonly #weeks = new Map<number, { row: Unnumbered; attack: Attack | undefined }[]>();
  readonly #attempts = new Map<number, (Attempt & { readonly attack: Attack | undefined })[]>();
  readonly #last = { principal: 0, stranger: 0 };

  constructor(workspaceId: string, withCoordinates: boolean) {
    this.#workspaceId = workspaceId;
    this.#withCoordinates = withCoordinates;
  }

  add({ at, actor, source, action, entity, detail, result }: Deed, attack?: Attack): void {
    const row = {
      at: Math.floor(at),
      actor,
      action,
      result: result ?? 'success',
      entity,
      ip: source.ip,
      detail: detail ?? {},
      location: this.#locate(source),
    };
    this.#put(row, attack);
  }

  /** Failures are folded like the vault's own: the first of a source in a minute at once, its repeats afterwards. */
  fail(attempt: Attempt, attack?: Attack): void {
    const week = weekAt(attempt.at);
    const attempts = this.#attempts.get(week) ?? [];
    attempts.push({ ...attempt, attack });
    this.#attempts.set(week, attempts);
  }

  /** The rows of a week in their order; none may be added to it afterwards. */
  take(week: number): MadeRow[] {
    this.#fold(week);
    const rows = (this.#weeks.get(week) ?? []).sort((a, b) => a.row.at - b.row.at);
    this.#weeks.delete(week);
    return rows.map(({ row, attack }) => ({ row: { ...row, id: this.#number(row) }, attack }));
  }

  #put(row: Unnumbered, attack: Attack | undefined): void {
    const week = weekAt(row.at);
    const rows = this.#weeks.get(week) ?? [];
    rows.push({ row, attack });
    this.#weeks.set(week, rows);
    if (attack === undefined) return;
    attack.firstAt = Math.min(attack.firstAt, row.at);
    attack.lastAt = Math.max(attack.lastAt, row.at);
  }

  #number({ actor, action }: Unnumbered): string {
    if (actor.type === 'anonymous' || action === 'authentication.failed') {
      this.#last.stranger += 1;
      return `1-${this.#last.stranger}`;
    }
    this.#last.principal += 1;
    return `0-${this.#last.principal}`;
  }

  #locate({ city }: Source): Observation['location'] & object {
    const { country, latitude, longitude } = city;
    return this.#withCoordinates ? { country, latitude, longitude } : { country };
  }

  #fold(week: number): void {
    const attempts = this.#attempts.get(week) ?? [];
    this.#attempts.delete(week);
    for (const [minute, inMinute] of Map.groupBy(attempts, ({ at }) => Math.floor(at / MINUTE))) {
      const bySource = Map.groupBy(
        inMinute,
        ({ source, reason, userId }) => `${source.ip} ${reason} ${userId}`,
      );
      let sources = 0;
      let others = 0;
      let failures = 0;
      for (const same of bySource.values()) {
        sources += 1;
        if (sources <= SOURCES_A_MINUTE) this.#foldSource(minute, same);
        else {
          others += 1;
          failures += same.length;
        }
      }
      const detail = { reason: 'many_sources', otherSources: String(others), failures: String(failures) };
      if (others > 0) this.#tally(minute, detail, inMinute[0]?.attack);
    }
  }

  #foldSource(minute: number, same: readonly (Attempt & { readonly attack: Attack | undefined })[]): void {
    const [first] = same;
    if (first === undefined) return;
    const { at, source, reason, userId, keyId, attack } = first;
    const entity =
      userId !== undefined
        ? { type: 'user', id: userId }
        : keyId !== undefined
          ? { type: 'api_key', id: keyId }
          : { type: 'workspace', id: this.#workspaceId };
    const row = {
      at: Math.floor(at),
      actor: { type: 'anonymous', id: '-' } as const,
      action: 'authentication.failed',
      result: 'denied',
      entity,
      ip: source.ip,
      detail: { reason },
      location: this.#locate(source),
    } as const;
    this.#put(row, attack);
    if (same.length === 1) return;
    const repeats = { reason, sourceIp: source.ip, repeats: String(same.length - 1) };
    this.#tally(minute, userId === undefined ? repeats : { ...repeats, userId }, attack);
  }

  #tally(minute: number, detail: Observation['detail'], attack: Attack | undefined): void {
    const row = {
      at: (minute + 2) * MINUTE + 5_000,
      // The vault's own job writes it; `observe-row.ts` shows it as the strangers' doing.
      actor: { type: 'anonymous', id: '-' },
      action: 'authentication.failed',
      result: 'denied',
      entity: { type: 'workspace', id: this.#workspaceId },
      ip: '-',
      detail: { ...detail, minute: timestamp(minute * MINUTE) },
    } as const;
    this.#put(row, attack);
  }
}

/** Weeks since the epoch, from Monday 00:00 UTC. */
export function weekAt(at: number): number {
  return Math.floor((at + 3 * 24 * 3_600_000) / WEEK);
}

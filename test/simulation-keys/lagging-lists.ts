import type { Store } from '../../core/kernel/store.ts';
import { entityKey, memoryStore, type StoredEntity } from '../support/memory-store.ts';
import type { EvidentChange } from './evidence.ts';

interface Pending {
  /** Epoch milliseconds. */
  readonly dueAt: number;
  readonly key: string;
  /** Absent where the entity leaves the index. */
  readonly stored: StoredEntity | undefined;
}

/** The index behind lists: it follows the table, each entity with a delay of its own. */
export class LaggingLists {
  readonly #indexed = new Map<string, StoredEntity>();
  readonly #lists = memoryStore(this.#indexed, async (_, work) => work());
  #pending: Pending[] = [];

  /**
   * Tells the index of a change, which shows `lag` milliseconds from now, and not before earlier ones of the same entity.
   * What moves from one list to another may be in neither for a while.
   */
  follow({ op, entity, row }: EvidentChange, now: number, lag: number, isGoneBetween: boolean): void {
    if (op === 'check') return;
    const key = entityKey(entity);
    const earlier = this.#pending.filter((one) => one.key === key).map(({ dueAt }) => dueAt);
    const follow = (after: number, stored: StoredEntity | undefined): void =>
      void this.#pending.push({ key, stored, dueAt: Math.max(now + after, ...earlier) });
    if (op === 'put' && isGoneBetween) follow(lag / 2, undefined);
    follow(lag, op === 'put' ? { entity, row } : undefined);
  }

  /** The store with these lists. */
  over(store: Store, now: () => number): Store {
    return {
      ...store,
      list: (kind, query) => {
        this.#catchUp(now());
        return this.#lists.list(kind, query);
      },
    };
  }

  #catchUp(now: number): void {
    const due = this.#pending.filter(({ dueAt }) => dueAt <= now);
    this.#pending = this.#pending.filter(({ dueAt }) => dueAt > now);
    for (const { key, stored } of due) {
      if (stored === undefined) this.#indexed.delete(key);
      else this.#indexed.set(key, stored);
    }
  }
}

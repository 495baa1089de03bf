import type { StoredRow } from '../../core/audit/ledger.ts';
import { RestoreRefused } from '../../core/restore/restore-refused.ts';
import {
  type RestoredWorkspace,
  type RestoreState,
  type RestoreTables,
  restoredWorkspaceSchema,
  restoreStateSchema,
} from '../../core/restore/restore-tables.ts';
import type { LeafSegment, SealState } from '../../core/seal/seal-state.ts';
import { type MemoryTables, rowKey } from './memory-ledger.ts';
import type { MemorySeals } from './memory-seals.ts';
import { deepCopy, entityKey, type StoredEntity } from './memory-store.ts';

/** An item of a backup, as a line of it. */
export type MemoryItem =
  | { readonly row: StoredRow }
  | { readonly entity: StoredEntity }
  | { readonly seal: SealState }
  | { readonly leaf: LeafSegment; readonly workspaceId: string };

export function itemLine(item: MemoryItem): string {
  return JSON.stringify(deepCopy(item), (_, value) =>
    value?.type === 'Buffer' || value instanceof Uint8Array
      ? { base64: Buffer.from(value).toString('base64') }
      : value,
  );
}

function readLine(line: string): MemoryItem {
  return JSON.parse(line, (_, value) =>
    typeof value?.base64 === 'string' ? Uint8Array.from(Buffer.from(value.base64, 'base64')) : value,
  );
}

/** The `RestoreTables` port over memory. Its calls have the faults of `tables`, and are named `restore.write` and so on. */
export class MemoryRestoreTables implements RestoreTables {
  readonly #tables: MemoryTables;
  readonly #seals: MemorySeals;
  readonly #workspaces = new Map<string, string>();
  #state: string | undefined;

  constructor(tables: MemoryTables, seals: MemorySeals) {
    this.#tables = tables;
    this.#seals = seals;
  }

  areEmpty(): Promise<boolean> {
    const { rows, entities } = this.#tables;
    return this.#tables.call('restore.areEmpty', () => rows.size + entities.size === 0);
  }

  readState(): Promise<RestoreState | undefined> {
    return this.#tables.call('restore.readState', () =>
      this.#state === undefined ? undefined : restoreStateSchema.parse(JSON.parse(this.#state)),
    );
  }

  replaceState(next: RestoreState): Promise<'replaced' | 'changed'> {
    return this.#tables.call('restore.replaceState', () => {
      if (versionOf(this.#state) !== next.version - 1) return 'changed';
      this.#state = JSON.stringify(next);
      return 'replaced';
    });
  }

  workspaces(): Promise<readonly string[]> {
    return this.#tables.call('restore.workspaces', () => [...this.#workspaces.keys()]);
  }

  readWorkspace(workspaceId: string): Promise<RestoredWorkspace | undefined> {
    return this.#tables.call('restore.readWorkspace', () => {
      const text = this.#workspaces.get(workspaceId);
      return text === undefined ? undefined : restoredWorkspaceSchema.parse(JSON.parse(text));
    });
  }

  replaceWorkspace(next: RestoredWorkspace): Promise<'replaced' | 'changed'> {
    return this.#tables.call('restore.replaceWorkspace', () => {
      if (versionOf(this.#workspaces.get(next.workspaceId)) !== next.version - 1) return 'changed';
      this.#workspaces.set(next.workspaceId, JSON.stringify(next));
      return 'replaced';
    });
  }

  write(_table: 'vault' | 'audit', lines: readonly string[]): ReturnType<RestoreTables['write']> {
    return this.#tables.call('restore.write', () => {
      const outcomes = lines.map((line) => this.#put(readLine(line)));
      const written = outcomes.filter(({ isNew }) => isNew).length;
      const workspaces = new Set(outcomes.flatMap(({ workspaceId }) => workspaceId ?? []));
      return { written, same: lines.length - written, expired: 0, dropped: 0, workspaces };
    });
  }

  #put(item: MemoryItem): { readonly isNew: boolean; readonly workspaceId?: string } {
    if ('row' in item) {
      const { row } = item;
      return { isNew: putOnce(this.#tables.rows, rowKey(row, row.seq), row), workspaceId: row.workspaceId };
    }
    if ('entity' in item)
      return { isNew: putOnce(this.#tables.entities, entityKey(item.entity.entity), item.entity) };
    if ('seal' in item) return { isNew: putOnce(this.#seals.states, item.seal.workspaceId, item.seal) };
    const key = `${item.workspaceId}#${item.leaf.lane}`;
    const lane = this.#seals.leaves.get(key) ?? new Map<number, LeafSegment>();
    this.#seals.leaves.set(key, lane);
    return { isNew: putOnce(lane, item.leaf.lastSeq, item.leaf) };
  }
}

function putOnce<K, V>(map: Map<K, V>, key: K, value: V): boolean {
  const found = map.get(key);
  if (found === undefined) {
    map.set(key, value);
    return true;
  }
  if (JSON.stringify(found) === JSON.stringify(value)) return false;
  throw new RestoreRefused('different_item', `Another item is at ${String(key)}.`);
}

function versionOf(text: string | undefined): number {
  return text === undefined ? 0 : JSON.parse(text).version;
}

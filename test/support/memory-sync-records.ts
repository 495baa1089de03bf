import {
  type CopyNote,
  copyNoteSchema,
  type StoredSyncState,
  type SyncRecords,
  type SyncState,
  syncStateSchema,
} from '../../core/secrets-sync/sync-records.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** The `SyncRecords` port in memory; its calls have the faults of `tables`. */
export class MemorySyncRecords implements SyncRecords {
  /** How many notes a page has. */
  notesPerPage = 100;
  readonly #tables: Pick<MemoryTables, 'call'>;
  readonly #states = new Map<string, StoredSyncState>();
  readonly #notes = new Map<string, Map<string, CopyNote>>();

  constructor(tables: Pick<MemoryTables, 'call'>) {
    this.#tables = tables;
  }

  read(workspaceId: string): Promise<StoredSyncState | undefined> {
    return this.#tables.call('syncRecords.read', () => structuredClone(this.#states.get(workspaceId)));
  }

  replace(workspaceId: string, version: number, next: SyncState): Promise<'replaced' | 'changed'> {
    return this.#tables.call('syncRecords.replace', () => {
      if ((this.#states.get(workspaceId)?.version ?? 0) !== version) return 'changed';
      this.#states.set(workspaceId, { version: version + 1, state: syncStateSchema.parse(next) });
      return 'replaced';
    });
  }

  notes(workspaceId: string, after?: string) {
    return this.#tables.call('syncRecords.notes', () => {
      const notes = [...(this.#notes.get(workspaceId)?.values() ?? [])]
        .filter(({ secretId }) => after === undefined || secretId > after)
        .sort((a, b) => (a.secretId < b.secretId ? -1 : 1));
      const items = structuredClone(notes.slice(0, this.notesPerPage));
      const last = items.at(-1);
      return notes.length > items.length && last !== undefined ? { items, next: last.secretId } : { items };
    });
  }

  note(workspaceId: string, note: CopyNote): Promise<void> {
    return this.#tables.call('syncRecords.note', () => {
      const notes = this.#notes.get(workspaceId) ?? new Map<string, CopyNote>();
      this.#notes.set(workspaceId, notes.set(note.secretId, copyNoteSchema.parse(note)));
    });
  }

  forget(workspaceId: string, secretId: string): Promise<void> {
    return this.#tables.call('syncRecords.forget', () => {
      this.#notes.get(workspaceId)?.delete(secretId);
    });
  }
}

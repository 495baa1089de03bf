import type { InspectedEntity } from '../audit/entity-inspector.ts';
import type { StoredRow } from '../audit/ledger.ts';

/** An audit row that was added, as the vault does. */
export interface RowAdded {
  readonly table: 'audit';
  readonly op: 'added';
  readonly row: StoredRow;
}

/** An audit row that was changed or removed. */
export interface RowTouched {
  readonly table: 'audit';
  readonly op: 'modified' | 'removed';
  readonly workspaceId: string;
  readonly lane: number;
  /** 0 for a key that is none of a row's. */
  readonly seq: number;
}

/** An entity before and after one write, as the table's stream tells of it. */
export interface EntityWritten {
  readonly table: 'vault';
  readonly before: InspectedEntity | undefined;
  readonly after: InspectedEntity | undefined;
  /** When the table changed, in epoch milliseconds, to the second. */
  readonly at: number;
  /** Whether the table's time to live removed it, and nobody else. */
  readonly expired: boolean;
}

export type TableChange = RowAdded | RowTouched | EntityWritten;

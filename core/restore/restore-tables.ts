import * as z from 'zod';
import type { BackupTable } from '../backup/layout.ts';

/** How far a restore has come: kept in the restored table itself, so that a run that died is continued. */
export const restoreStateSchema = z.strictObject({
  version: z.int().min(1),
  /** Which backup: the ARNs of its two exports. */
  backup: z.string(),
  /** Epoch milliseconds. */
  startedAt: z.int(),
  /** `loading` while items of the backup are written: until then, nothing else has changed the tables. */
  phase: z.enum(['loading', 'loaded']),
});
export type RestoreState = z.infer<typeof restoreStateSchema>;

/** By lane, its last row once all rows were back. What came later, this restore wrote. */
const laneEndsSchema = z.record(z.string(), z.int().min(0));
export type LaneEnds = z.infer<typeof laneEndsSchema>;

const refilledRowsSchema = z.strictObject({
  ends: laneEndsSchema,
  /** By lane, the last row that a signed head covers. */
  sealed: laneEndsSchema,
  /** The time of the newest row that a signed head covers, epoch milliseconds; 0 if there is none. */
  sealedUntil: z.int().min(0),
  /** Leaves of the log that the table knew of before, and knows of now, and how many rows were put back. */
  fromSize: z.int().min(0),
  toSize: z.int().min(0),
  refilled: z.int().min(0),
  /** Whether the trail tells of it. */
  isRecorded: z.boolean(),
});
export type RefilledRows = z.infer<typeof refilledRowsSchema>;

/** What is noted of a workspace that is restored. */
export const restoredWorkspaceSchema = z.strictObject({
  version: z.int().min(0),
  workspaceId: z.string(),
  /** Known once its rows are back. */
  rows: refilledRowsSchema.exactOptional(),
});
export type RestoredWorkspace = z.infer<typeof restoredWorkspaceSchema>;

/** What became of some items of a backup. */
export interface Written {
  readonly written: number;
  /** There already, and the same. */
  readonly same: number;
  /** Past their time to live. */
  readonly expired: number;
  /** Bookkeeping that must not come back; see `docs/backup.md`. */
  readonly dropped: number;
  /** The workspaces that rows are of. */
  readonly workspaces: ReadonlySet<string>;
}

/**
 * The two tables that are filled from a backup, beside the ports that the vault has for them.
 *
 * Both `replace` are compare-and-swap: `next.version` is one more than that of what was read (1 where there was none).
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not.
 */
export interface RestoreTables {
  /** Whether there is no item at all in either table. */
  areEmpty(): Promise<boolean>;
  readState(): Promise<RestoreState | undefined>;
  replaceState(next: RestoreState): Promise<'replaced' | 'changed'>;
  /** The workspaces that are noted, in no particular order. */
  workspaces(): Promise<readonly string[]>;
  readWorkspace(workspaceId: string): Promise<RestoredWorkspace | undefined>;
  replaceWorkspace(next: RestoredWorkspace): Promise<'replaced' | 'changed'>;
  /**
   * Writes items as they lie in a backup, a line each; never another one over what is there.
   *
   * @param isResumed whether some of them may be there already.
   * @throws RestoreRefused `different_item` when another item has the key of one; BackupFault for a line that is no item.
   */
  write(table: BackupTable, lines: readonly string[], isResumed: boolean): Promise<Written>;
}

/** A setting of a table, as it was found or made. */
export interface TableSetting {
  readonly table: string;
  readonly setting:
    | 'time to live'
    | 'point-in-time recovery'
    | 'deletion protection'
    | 'stream'
    | 'resource policy';
  /** `unsupported` where the database has no such setting; `absent` where only a deployment can make it. */
  readonly outcome: 'right' | 'applied' | 'unsupported' | 'absent';
}

/** Settings of the restored tables. Applying them again changes nothing. @throws VaultError `unavailable`. */
export interface TableSettings {
  apply(): Promise<readonly TableSetting[]>;
}

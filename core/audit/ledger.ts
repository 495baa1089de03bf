import type { Change } from '../kernel/entity.ts';
import type { ExtraLane } from './lane-set.ts';

export interface LaneRef {
  readonly workspaceId: string;
  readonly lane: number;
}

/** A row as it is stored: its key, its exact bytes, and beside them its hash and its nonce. */
export interface StoredRow extends LaneRef {
  readonly seq: number;
  readonly bytes: Uint8Array;
  /** {@link rowHash} of `bytes`, lower-case hex. */
  readonly hash: string;
  /** The row's nonce, so that a writer recognizes its own row without parsing it. */
  readonly nonce: string;
}

/** What became of an append. Anything else than these is thrown, and then it is not known whether it took effect. */
export type AppendOutcome =
  | { readonly status: 'committed' }
  /** The key of the first row is occupied, by `row`. Nothing was written by this call; an earlier try may have. */
  | { readonly status: 'row_taken'; readonly row: StoredRow }
  /** The rows' keys were free, but these changes (by index) did not find the revision that they expect. */
  | { readonly status: 'change_refused'; readonly refused: readonly number[] }
  /** Another transaction was at work on the same items. Nothing was written. */
  | { readonly status: 'contended' };

/**
 * The tables that hold rows and entities, as the trail needs them.
 *
 * `append` is one transaction: all rows, with all changes, or none of them. It never overwrites a row: **the next
 * row's key is the lock** that orders the writers of a lane. Reads are strongly consistent.
 *
 * @throws VaultError `unavailable` when the store does not answer; an append may then have taken effect or not.
 */
export interface Ledger {
  lastRow(lane: LaneRef): Promise<StoredRow | undefined>;
  row(lane: LaneRef, seq: number): Promise<StoredRow | undefined>;
  /** Rows from `from` on in rising order, or from `from` down in falling order; as many as one read gives, at most `limit`. */
  rows(
    lane: LaneRef,
    from: number,
    limit: number,
    order?: 'rising' | 'falling',
  ): Promise<readonly StoredRow[]>;
  /** The lanes that a workspace opened beside its first two; see `lane-set.ts`. Nearly always none. */
  extraLanes(workspaceId: string): Promise<readonly ExtraLane[]>;
  /** `rows` are consecutive rows of one lane; `changes` name the last row that explains them by position. */
  append(rows: readonly StoredRow[], changes: readonly ExplainedChange[]): Promise<AppendOutcome>;
}

/** A change, and the row that explains it: the entity stored carries this position. */
export interface ExplainedChange {
  readonly change: Change;
  readonly row: { readonly lane: number; readonly seq: number };
}

/** At most this many items (rows and changes) fit one transaction of DynamoDB, and 4 MB in all. */
export const MAX_TRANSACTION_ITEMS = 100;

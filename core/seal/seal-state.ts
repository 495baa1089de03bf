import type { Anchor } from '../audit/verify-lane.ts';

/** The last row of a lane that is in the tree. */
export type SealedLane = Pick<Anchor, 'seq' | 'hash' | 'ts'>;

/** How far a workspace's rows are sealed: the tree, its signed head, and where each lane stands in it. */
export interface SealState {
  readonly workspaceId: string;
  /** 1 for the first state, one more with each replacement. */
  readonly version: number;
  /** Leaves in the tree. */
  readonly size: number;
  /** Root hash (RFC 6962 section 2.1), 64 lower-case hex digits. */
  readonly root: string;
  /** Roots of the complete subtrees that make up the tree, largest first: what it takes to extend it. Hex. */
  readonly frontier: readonly string[];
  /** The checkpoint of this tree as a signed note. */
  readonly checkpoint: string;
  readonly lanes: { readonly [lane: string]: SealedLane };
  /** Epoch milliseconds. */
  readonly sealedAt: number;
  /** The size of the last tree whose tiles and checkpoint are known to be in the archive; `size` when nothing is due. */
  readonly publishedSize: number;
  /** While sealed rows are put back after a restore: the size of the tree before, and how many rows are back so far. */
  readonly recovery?: { readonly fromSize: number; readonly rows: number };
}

/** Consecutive rows of one lane that are consecutive leaves. */
export interface LeafSegment {
  readonly lane: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** The leaf index of the row `firstSeq`. */
  readonly firstLeaf: number;
}

/**
 * Keeps the sealer's state and the places of rows in the tree. Not tenants' data: both can be rebuilt from the archive,
 * and nothing trusts them without checking against it. Reads are consistent.
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not.
 */
export interface SealStates {
  read(workspaceId: string): Promise<SealState | undefined>;
  /** Compare-and-swap on `version` (the next state's, less one; no state for 1), with the segments, in one transaction. */
  replace(next: SealState, segments: readonly LeafSegment[]): Promise<'replaced' | 'changed'>;
  /** The segment that holds a row. */
  segmentOf(workspaceId: string, lane: number, seq: number): Promise<LeafSegment | undefined>;
  /** The segments of a lane from the one that holds `fromSeq`, in rising order, at most `limit`. */
  segments(
    workspaceId: string,
    lane: number,
    fromSeq: number,
    limit: number,
  ): Promise<readonly LeafSegment[]>;
}

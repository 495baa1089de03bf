import { type AuditRow, decodeRow, RowFormatError } from '../audit/row.ts';
import { type Hash, hashToHex, leafHash } from '../transparency/merkle.ts';

/** Which rows evidence shows; of the others it gives the bare hash. */
export interface EvidenceFilter {
  readonly action?: string | undefined;
  readonly actorId?: string | undefined;
  readonly entityId?: string | undefined;
}

/** A leaf of the log: the exact bytes of its row. */
export interface Leaf {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly hash: Hash;
  /** `undefined` for bytes that are no row: of them, evidence has the hash. */
  readonly row: AuditRow | undefined;
}

export function readLeaf(bytes: Uint8Array, index: number): Leaf {
  return { index, bytes, hash: leafHash(bytes), row: readableRow(bytes) };
}

/** Whether anything is left out at all. */
export function isFilter({ action, actorId, entityId }: EvidenceFilter): boolean {
  return action !== undefined || actorId !== undefined || entityId !== undefined;
}

export function isShown({ row }: Leaf, { action, actorId, entityId }: EvidenceFilter): boolean {
  // A line of text cannot hold what is no row.
  if (row === undefined) return false;
  return (
    (action === undefined || row.action === action) &&
    (actorId === undefined || row.actor.id === actorId) &&
    (entityId === undefined || row.entity.id === entityId)
  );
}

/** A line of evidence for each leaf: the exact row, or the hash of a row that is left out. */
export function leafLines(leaves: readonly Leaf[], filter: EvidenceFilter): Uint8Array {
  const lines = leaves.flatMap((leaf) => [
    isShown(leaf, filter) ? leaf.bytes : Buffer.from(hashToHex(leaf.hash)),
    NEWLINE,
  ]);
  return Buffer.concat(lines);
}

const NEWLINE = Buffer.from('\n');

function readableRow(bytes: Uint8Array): AuditRow | undefined {
  try {
    return decodeRow(bytes);
  } catch (error) {
    if (error instanceof RowFormatError) return undefined;
    throw error;
  }
}

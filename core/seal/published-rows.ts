import type { StoredRow } from '../audit/ledger.ts';
import { decodeRow, RowFormatError, rowHash } from '../audit/row.ts';
import { concurrently } from '../kernel/concurrently.ts';
import type { Checkpoint } from '../transparency/checkpoint.ts';
import { appendLeaves, type Frontier, frontierRoot, leafHash, sameHash } from '../transparency/merkle.ts';
import { decodeEntries, entriesPath, TILE_WIDTH, TileError } from '../transparency/tiles.ts';
import { SealRefusal } from './refusal.ts';

type ReadLog = (path: string) => Promise<Uint8Array | undefined>;

/** A row as it was sealed, and its leaf. */
export interface SealedRow {
  readonly row: StoredRow;
  readonly ts: string;
  readonly leaf: number;
}

/** The published entries between two trees of a log, which were found to make the larger one of the smaller. */
export interface PublishedRows {
  /** Of the larger tree. */
  readonly frontier: Frontier;
  /** In leaf order. An entry that is no row of the workspace was spoiled before it was sealed, and is left out. */
  readonly rows: readonly SealedRow[];
}

/** Bundles read side by side. */
const WIDTH = 8;

/**
 * Reads the entries by which a tree grew, and checks that with them it has the root that was signed.
 *
 * @param newestSize of the newest tree, whose bundles are read: one that was partial before may be full by now.
 * @throws SealRefusal `archive_conflict` when a bundle is missing, or they make another tree.
 */
export async function readPublishedRows(
  read: ReadLog,
  workspaceId: string,
  from: Frontier,
  { size, root }: Checkpoint,
  newestSize: number,
): Promise<PublishedRows> {
  const first = Math.floor(from.size / TILE_WIDTH);
  const indexes = Array.from({ length: Math.ceil(size / TILE_WIDTH) - first }, (_, at) => first + at);
  const bundles = await concurrently(indexes, WIDTH, (index) =>
    readBundle(read, index, Math.min(TILE_WIDTH, newestSize - index * TILE_WIDTH)),
  );
  const entries = bundles.flat().slice(from.size - first * TILE_WIDTH, size - first * TILE_WIDTH);
  const frontier = appendLeaves(from, entries.map(leafHash));
  if (!sameHash(frontierRoot(frontier), root)) throw damaged(`checkpoint ${size}`);
  return {
    frontier,
    rows: entries.flatMap((entry, at) => sealedRow(workspaceId, entry, from.size + at) ?? []),
  };
}

async function readBundle(read: ReadLog, index: number, width: number): Promise<Uint8Array[]> {
  const path = entriesPath(index, width);
  const bytes = await read(path);
  if (bytes === undefined) throw damaged(path);
  try {
    const entries = decodeEntries(bytes);
    if (entries.length === width) return entries;
  } catch (error) {
    if (!(error instanceof TileError)) throw error;
  }
  throw damaged(path);
}

function sealedRow(workspaceId: string, bytes: Uint8Array, leaf: number): SealedRow | undefined {
  try {
    const { ws, lane, seq, nonce, ts } = decodeRow(bytes);
    if (ws !== workspaceId) return undefined;
    return { row: { workspaceId, lane, seq, bytes, hash: rowHash(bytes), nonce }, ts, leaf };
  } catch (error) {
    if (error instanceof RowFormatError) return undefined;
    throw error;
  }
}

function damaged(subject: string): SealRefusal {
  return new SealRefusal(
    'archive_conflict',
    subject,
    'The published entries are not those that were signed. Make the versions that were published first current again.',
  );
}

import { hash } from 'node:crypto';
import type { StoredRow } from '../audit/ledger.ts';
import { decodeRow, RowFormatError, rowHash } from '../audit/row.ts';
import type { Checkpoint } from '../transparency/checkpoint.ts';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  type Frontier,
  frontierRoot,
  leafHash,
  sameHash,
} from '../transparency/merkle.ts';
import { bundlesOf, decodeEntries, entriesPath, TILE_WIDTH, TileError } from '../transparency/tiles.ts';
import { SealRefusal } from './refusal.ts';

type ReadLog = (path: string) => Promise<Uint8Array | undefined>;

/** A row as it was sealed, and its leaf. */
export interface SealedRow {
  readonly row: StoredRow;
  readonly ts: string;
  readonly leaf: number;
}

/** The published entries of a tree, all of which together were found to have its root. */
export interface PublishedRows {
  readonly frontier: Frontier;
  /**
   * The rows, up to 256 at a time, in leaf order. An entry that is no row of the workspace was spoiled before it was
   * sealed, and is left out.
   */
  rows(): AsyncGenerator<readonly SealedRow[]>;
}

/**
 * Reads every entry bundle of a tree and checks that together they have its root. What is given out afterwards is read
 * again and must be the same, so that memory holds a digest for 256 rows and no rows.
 *
 * @throws SealRefusal `archive_conflict` when a bundle is missing or they have another root; `rows` likewise.
 */
export async function readPublishedRows(
  read: ReadLog,
  workspaceId: string,
  { size, root }: Checkpoint,
): Promise<PublishedRows> {
  const digests: string[] = [];
  let frontier = EMPTY_FRONTIER;
  for (const { index, width } of bundlesOf(0, size)) {
    const bytes = await bundleAt(read, index, width);
    digests.push(hash('sha256', bytes, 'hex'));
    frontier = appendLeaves(frontier, entriesIn(bytes, index, width).map(leafHash));
  }
  if (!sameHash(frontierRoot(frontier), root)) throw damaged(`checkpoint ${size}`);
  return {
    frontier,
    async *rows() {
      for (const { index, width } of bundlesOf(0, size)) {
        const bytes = await bundleAt(read, index, width);
        if (hash('sha256', bytes, 'hex') !== digests[index]) throw damaged(entriesPath(index, width));
        yield entriesIn(bytes, index, width).flatMap(
          (entry, at) => sealedRow(workspaceId, entry, index * TILE_WIDTH + at) ?? [],
        );
      }
    },
  };
}

async function bundleAt(read: ReadLog, index: number, width: number): Promise<Uint8Array> {
  const path = entriesPath(index, width);
  const bytes = await read(path);
  if (bytes === undefined) throw damaged(path);
  return bytes;
}

function entriesIn(bytes: Uint8Array, index: number, width: number): Uint8Array[] {
  try {
    const entries = decodeEntries(bytes);
    if (entries.length === width) return entries;
  } catch (error) {
    if (!(error instanceof TileError)) throw error;
  }
  throw damaged(entriesPath(index, width));
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

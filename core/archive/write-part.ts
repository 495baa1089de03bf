import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { ArchiveFault } from './archive-fault.ts';
import { type PartContent, unpackedRows } from './archived-rows.ts';
import type { ManifestPart } from './manifest.ts';
import { storeObject, type WritableArchive } from './store-object.ts';

/** A part holds at most this much before compression, and at least one row. */
export const MAX_PART_BYTES = 64 * 1024 * 1024;

/** Rows of one lane that are to be archived together: exact bytes, in order. */
export interface RawPart extends Pick<ManifestPart, 'key' | 'lane' | 'first' | 'last'> {
  readonly rows: readonly Uint8Array[];
}

/**
 * Archives a part: NDJSON in gzip, read back by version, unpacked and compared before it counts.
 *
 * @throws ArchiveFault `altered`, `taken`, `unlocked`; VaultError `unavailable`.
 */
export async function writePart(
  archive: WritableArchive,
  { rows, ...part }: RawPart,
  lockedUntil: number,
): Promise<ManifestPart> {
  const text = Buffer.concat(rows.flatMap((row) => [row, NEWLINE]));
  const content = { rows: rows.length, bytes: text.length, sha256: hash('sha256', text, 'hex') };
  const stored = await storeObject(archive, part.key, gzip(text), lockedUntil, (bytes) =>
    holds(part.key, bytes, content),
  );
  return {
    ...part,
    ...content,
    versionId: stored.versionId,
    gzipBytes: stored.bytes.length,
    gzipSha256: hash('sha256', stored.bytes, 'hex'),
  };
}

const NEWLINE = Uint8Array.of(0x0a);
/** RFC 1952 section 2.3: where a gzip header names the operating system, and the value for "unknown". */
const OS_BYTE = 9;
const OS_UNKNOWN = 0xff;

/** The same bytes for the same text, wherever zlib of this version runs: its headers carry no time (RFC 1952 MTIME 0). */
export function gzip(text: Uint8Array): Uint8Array {
  const bytes = gzipSync(text, { level: 6 });
  bytes[OS_BYTE] = OS_UNKNOWN;
  return bytes;
}

async function holds(key: string, bytes: Uint8Array, content: PartContent): Promise<boolean> {
  try {
    for await (const _ of unpackedRows(key, bytes, content));
    return true;
  } catch (error) {
    if (error instanceof ArchiveFault) return false;
    throw error;
  }
}

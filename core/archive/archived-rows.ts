import { createHash, hash } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { MAX_ROW_BYTES } from '../audit/row.ts';
import { ArchiveFault, conflict } from './archive-fault.ts';
import type { ManifestPart } from './manifest.ts';
import type { ObjectArchive } from './object-archive.ts';

/** What a part holds before compression. */
export type PartContent = Pick<ManifestPart, 'rows' | 'bytes' | 'sha256'>;

const NEWLINE = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/**
 * The exact bytes of the rows in a part, in order. The compressed object (at most 64 MiB and a little) is in memory, the
 * rows are not. A caller that reads to the end knows that the part is the one its manifest names.
 *
 * @throws ArchiveFault `missing`, `altered`
 * @throws VaultError `unavailable`
 */
export async function* archivedRows(
  archive: Pick<ObjectArchive, 'read'>,
  part: ManifestPart,
): AsyncGenerator<Uint8Array> {
  const object = await archive.read(part.key, part.versionId);
  if (object === undefined) throw conflict(part.key, 'missing');
  if (object.bytes.length !== part.gzipBytes || hash('sha256', object.bytes, 'hex') !== part.gzipSha256) {
    throw conflict(part.key, 'altered');
  }
  yield* unpackedRows(part.key, object.bytes, part);
}

/**
 * The rows in a compressed part.
 *
 * @throws ArchiveFault `altered` when they are not, to the byte, what is expected; no later than at the end.
 */
export async function* unpackedRows(
  key: string,
  gzip: Uint8Array,
  expected: PartContent,
): AsyncGenerator<Uint8Array> {
  const digest = createHash('sha256');
  let [bytes, rows] = [0, 0];
  let rest: Uint8Array = new Uint8Array();
  try {
    for await (const chunk of unzipped(gzip)) {
      bytes += chunk.length;
      // Whoever planted the object may have packed terabytes into it, or a line without end.
      if (bytes > expected.bytes || rest.length > MAX_ROW_BYTES) throw conflict(key, 'altered');
      digest.update(chunk);
      const text = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
        yield text.subarray(start, end);
        rows += 1;
        start = end + 1;
      }
      rest = text.subarray(start);
    }
  } catch (error) {
    throw error instanceof ArchiveFault ? error : conflict(key, 'altered', error);
  }
  const isWhole = rest.length === 0 && rows === expected.rows && bytes === expected.bytes;
  if (!isWhole || digest.digest('hex') !== expected.sha256) throw conflict(key, 'altered');
}

function unzipped(gzip: Uint8Array): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
  gunzip.end(gzip);
  return gunzip;
}

import { createHash } from 'node:crypto';
import { VaultError } from '../kernel/errors.ts';
import { BackupFault } from './backup-fault.ts';
import type { DataFile } from './backup-files.ts';

/** Undoes gzip as bytes come, and throws where they are none. */
export type Unpack = (packed: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

const NEWLINE = 0x0a;
/** An item has at most 400 KB as DynamoDB counts; JSON spells its control characters with six bytes for one. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

/**
 * The lines of a data file out of its bytes, however these are cut: the `lines` of `BackupFiles`. In memory is a line at a
 * time, and what is under way.
 *
 * @param packed its bytes as they lie there; a VaultError of it is passed on.
 * @throws BackupFault if they do not have the MD5 or the number of items that the manifest names.
 */
export async function* readDataFile(
  file: DataFile,
  packed: AsyncIterable<Uint8Array>,
  unpack: Unpack,
): AsyncGenerator<string> {
  let items = 0;
  try {
    for await (const line of splitLines(unpack(checked(file, packed)), file)) {
      items += 1;
      yield line;
    }
  } catch (error) {
    if (error instanceof VaultError || error instanceof BackupFault) throw error;
    throw new BackupFault('altered', file.key, 'The data file cannot be unpacked.', error);
  }
  if (items !== file.itemCount) {
    throw new BackupFault('contradictory', file.key, `It has ${items} items instead of ${file.itemCount}.`);
  }
}

async function* checked(file: DataFile, packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const hash = createHash('md5');
  for await (const chunk of packed) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('base64') === file.md5) return;
  throw new BackupFault('altered', file.key, 'The data file does not have the MD5 that its manifest names.');
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>, file: DataFile): AsyncGenerator<string> {
  let open: Buffer[] = [];
  let openBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...open, bytes.subarray(start, end)]);
      if (line.length > 0) yield line.toString('utf8');
      [open, openBytes, start] = [[], 0, end + 1];
    }
    open.push(bytes.subarray(start));
    openBytes += bytes.length - start;
    if (openBytes > MAX_LINE_BYTES) {
      throw new BackupFault('malformed', file.key, 'A line is longer than any item can be.');
    }
  }
  if (openBytes > 0) yield Buffer.concat(open).toString('utf8');
}

import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzip } from '../aws/s3-backups.ts';
import { BackupFault } from '../core/backup/backup-fault.ts';
import { type BackupFiles, MAX_MANIFEST_BYTES } from '../core/backup/backup-files.ts';
import { readDataFile } from '../core/backup/data-file.ts';

/** The `BackupFiles` port on a folder that was copied from the bucket, with what lies below `backups/<instant>/`. */
export function createFolderBackups(root: string): BackupFiles {
  const entries = async (prefix: string) => {
    try {
      return await readdir(join(root, prefix), { withFileTypes: true });
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  };

  return {
    async *folders(prefix) {
      for (const entry of await entries(prefix)) if (entry.isDirectory()) yield `${prefix}${entry.name}/`;
    },

    async *files(prefix) {
      for (const entry of await entries(prefix)) {
        if (!entry.isFile()) continue;
        const key = `${prefix}${entry.name}`;
        yield { key, size: (await stat(join(root, key))).size, etag: undefined };
      }
    },

    async read(key) {
      try {
        const { size } = await stat(join(root, key));
        if (size <= MAX_MANIFEST_BYTES) return await readFile(join(root, key));
        throw new BackupFault('malformed', key, 'The file is larger than any manifest.');
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },

    lines: (file) => readDataFile(file, bytesOf(join(root, file.key), file.key), gunzip),
  };
}

async function* bytesOf(path: string, key: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path);
  } catch (error) {
    if (isAbsent(error)) throw new BackupFault('missing', key, 'The data file is not there.', error);
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

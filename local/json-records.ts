import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Records<T> {
  get(id: string): T | undefined;
  /** In the order of their first put. */
  all(): T[];
  /** On disk when this returns. */
  put(record: T): void;
}

/**
 * Keeps records in one JSON file of mode 0600 that is replaced whole at every put, so that it holds either the old
 * or the new state after a crash. Made for hundreds of records, and for one process at a time.
 */
export function openRecords<T>(file: string, idOf: (record: T) => string): Records<T> {
  const records = new Map<string, T>();
  for (const record of existsSync(file) ? readJson<T[]>(file) : []) records.set(idOf(record), record);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return {
    get: (id) => records.get(id),
    all: () => [...records.values()],
    put(record) {
      const next = new Map(records).set(idOf(record), record);
      writeFileAtomic(file, JSON.stringify([...next.values()], null, 2));
      records.set(idOf(record), record);
    },
  };
}

/** Reads a JSON file that this program wrote. Throws an error that names the file where it is damaged. */
export function readJson<T>(file: string): T {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch (cause) {
    throw new Error(`${file} is damaged: restore it, or start with another data directory.`, { cause });
  }
}

/** Replaces a file (mode 0600) with data that is already on disk: a crash leaves the old file or the new one. */
export function writeFileAtomic(file: string, data: string | Buffer): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, data, { mode: 0o600, flush: true });
  renameSync(temporary, file);
}

import { conflict } from './archive-fault.ts';
import type { ArchivedObject, ObjectArchive } from './object-archive.ts';

/** The archive as who writes it needs it. */
export type WritableArchive = Pick<ObjectArchive, 'create' | 'read' | 'lock'>;

/**
 * Stores an object for good, reads it back and checks its lock. One that has the name already, left by a run that died
 * or whose answer was lost, is taken over if it says the same; so every call can be repeated.
 *
 * @param lockedUntil epoch milliseconds until which nobody must be able to remove it.
 * @param isSame whether bytes that were read back say what `bytes` say.
 * @returns the object as it was read back: its version is the one to name from now on.
 * @throws ArchiveFault `altered`, `taken`, `unlocked`
 * @throws VaultError `unavailable`
 */
export async function storeObject(
  archive: WritableArchive,
  key: string,
  bytes: Uint8Array,
  lockedUntil: number,
  isSame: (stored: Uint8Array) => boolean | Promise<boolean>,
): Promise<ArchivedObject> {
  const created = await archive.create(key, bytes);
  const isOurs = created.status === 'created';
  const stored = await archive.read(key, isOurs ? created.versionId : undefined);
  if (stored === undefined || !(await isSame(stored.bytes)))
    throw conflict(key, isOurs ? 'altered' : 'taken');
  const lock = await archive.lock(key, stored.versionId);
  if (lock === undefined || lock.retainUntil < lockedUntil) throw conflict(key, 'unlocked');
  return stored;
}

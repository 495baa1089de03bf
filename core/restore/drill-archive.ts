import { createHash } from 'node:crypto';
import type { ArchivedObject, ObjectArchive } from '../archive/object-archive.ts';

/**
 * An archive that can be restored from while its own deployment goes on: it is only read, and what would be written is
 * kept in memory for as long as the drill lasts. What was read once under a name that changes stays as it was.
 */
export function drillArchive(archive: ObjectArchive): ObjectArchive {
  const held = new Map<string, ArchivedObject>();
  const read: ObjectArchive['read'] = async (key, versionId) => {
    const kept = held.get(key);
    if (kept !== undefined && (versionId === undefined || versionId === kept.versionId)) return kept;
    const found = await archive.read(key, versionId);
    if (found !== undefined && key.endsWith('/checkpoint')) held.set(key, found);
    return found;
  };
  const hold = (key: string, bytes: Uint8Array): ArchivedObject => {
    const versionId = `drill-${held.size}`;
    const etag = createHash('sha256').update(bytes).digest('hex');
    const object = { bytes, versionId, etag };
    held.set(key, object);
    return object;
  };
  return {
    read,
    async create(key, bytes) {
      if ((await read(key)) !== undefined) return { status: 'exists' };
      return { status: 'created', versionId: hold(key, bytes).versionId };
    },
    async replace(key, bytes, etag) {
      if ((await read(key))?.etag !== etag) return { status: 'changed' };
      hold(key, bytes);
      return { status: 'replaced' };
    },
    lock: (key, versionId) => archive.lock(key, versionId),
    list: (prefix, startAfter) => archive.list(prefix, startAfter),
  };
}

import { conflict } from '../archive/archive-fault.ts';
import type { ManifestCheckpoint } from '../archive/manifest.ts';
import type { SealedLogs } from '../evidence/evidence-parts.ts';
import { readOnce } from '../evidence/open-log.ts';
import { logPrefix, sealPath } from '../seal/log-origin.ts';
import { CheckpointError, openPublishedLog, type PublishedLog } from '../seal/published-log.ts';
import { hashToBase64 } from '../transparency/merkle.ts';

/**
 * The log of a workspace as of a checkpoint that a manifest names, and that is kept for good. Each path of it is read once.
 *
 * @throws ArchiveFault `missing`; `unsigned`; `altered` for another checkpoint of ours under its name.
 * @throws VaultError `unavailable`
 */
export async function openSeal(
  log: SealedLogs,
  workspaceId: string,
  { size, root }: ManifestCheckpoint,
): Promise<PublishedLog> {
  const path = sealPath(size);
  const key = `${logPrefix(workspaceId)}${path}`;
  try {
    const published = await openPublishedLog({ ...log, archive: readOnce(log.archive) }, workspaceId, path);
    if (published === undefined) throw conflict(key, 'missing');
    const { checkpoint } = published;
    if (checkpoint.size !== size || hashToBase64(checkpoint.root) !== root) throw conflict(key, 'altered');
    return published;
  } catch (error) {
    throw error instanceof CheckpointError ? conflict(key, 'unsigned', error) : error;
  }
}

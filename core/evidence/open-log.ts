import { VaultError } from '../kernel/errors.ts';
import { CheckpointError, openPublishedLog, type PublishedLog } from '../seal/published-log.ts';
import type { SealedLogs } from './evidence-parts.ts';

/** New rows are sealed within two minutes. */
const RETRY_AFTER_SECONDS = 60;

/**
 * The published log of a workspace, at its newest checkpoint. Each path of it is read once, however many proofs need it.
 *
 * @throws VaultError `not_sealed` before the first seal; `internal` when what is published is not signed by our key.
 */
export async function openLog(log: SealedLogs, workspaceId: string): Promise<PublishedLog> {
  const archive = readOnce(log.archive);
  try {
    const published = await openPublishedLog({ ...log, archive }, workspaceId);
    if (published === undefined) throw notSealed('Nothing of this workspace is sealed yet.');
    return published;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new VaultError(
      'internal',
      'The published checkpoint is not one that this vault signed, so nothing can be proved from it. Tell your operator.',
      { cause: error },
    );
  }
}

export function notSealed(what: string): VaultError {
  return new VaultError('not_sealed', `${what} Rows are sealed within two minutes; ask again then.`, {
    retryAfter: RETRY_AFTER_SECONDS,
  });
}

/** An archive that reads each object once, and remembers it. */
export function readOnce(archive: SealedLogs['archive']): Pick<SealedLogs['archive'], 'read'> {
  const known = new Map<string, ReturnType<typeof archive.read>>();
  return {
    read(key, versionId) {
      const name = `${key}\n${versionId ?? ''}`;
      const found = known.get(name) ?? archive.read(key, versionId);
      known.set(name, found);
      return found;
    },
  };
}

import { nextSeal } from '../seal/later-seal.ts';
import type { SealParts } from '../seal/parts.ts';
import { SealRefusal } from '../seal/refusal.ts';
import { loggedWorkspaces } from './refill-rows.ts';
import { RestoreRefused } from './restore-refused.ts';

/** Somebody may have put other things into the archive, but hardly in front of every log. */
const MAX_TRIED = 20;

/**
 * Looks whether the archive is that of the backup's deployment, by the first checkpoint of any of its logs, which is
 * locked: a name that was mistyped must not look like an archive that was tampered with, nor like an empty one.
 *
 * @throws RestoreRefused `wrong_archive`; VaultError `unavailable`.
 */
export async function checkArchive(parts: SealParts): Promise<void> {
  let tried = 0;
  for await (const workspaceId of loggedWorkspaces(parts.archive)) {
    if (await hasOurSeal(parts, workspaceId)) return;
    tried += 1;
    if (tried === MAX_TRIED) break;
  }
  const found = tried === 0 ? 'no log' : `no log of the name ${parts.logName} that this key signed`;
  throw new RestoreRefused(
    'wrong_archive',
    `The archive holds ${found}. Set ARCHIVE_BUCKET, LOG_NAME and CHECKPOINT_KEY_ARN as the function "sealer" of the backup's stage has them. Nothing was written.`,
  );
}

async function hasOurSeal(parts: SealParts, workspaceId: string): Promise<boolean> {
  try {
    return (await nextSeal(parts, workspaceId, 0, 0)) !== undefined;
  } catch (error) {
    if (error instanceof SealRefusal) return false;
    throw error;
  }
}

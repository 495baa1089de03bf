import { secretKind } from '../secrets/secret.ts';
import { targetText } from './secrets-sync.ts';
import type { CopyNote } from './sync-records.ts';
import {
  type CopyOutcome,
  commitSync,
  failCopy,
  isSynced,
  type SyncRun,
  stillSet,
  wholeName,
} from './sync-run.ts';

/**
 * Takes away a copy whose secret is deleted, has become a decoy, or lies in a namespace that is not synced any more. It can
 * be restored there for 7 days, as the secret can here; and it is, where the secret comes back. What the vault did not
 * make, and what lies where the sync does not lead any more, is left alone.
 *
 * A crash after the removal leaves the note: the next run finds the copy removed, and forgets it.
 *
 * @throws RefusedChanges when the sync was set otherwise, or ended. VaultError `unavailable` when rows or notes cannot be written.
 */
export async function removeCopy(run: SyncRun, note: CopyNote): Promise<CopyOutcome> {
  const { parts, sync } = run;
  const { secretId, name } = note;
  // Lists lag behind: only what the secret itself says counts.
  if (isSynced(sync, await parts.store.get(secretKind, sync.workspaceId, secretId)))
    return { outcome: 'left' };
  try {
    const removed = note.start >= sync.targetStart && (await remove(run, note));
    await parts.syncRecords.forget(sync.workspaceId, secretId);
    return { outcome: removed ? 'removed' : 'left' };
  } catch (error) {
    return failCopy(run, { secretId, name, note }, error);
  }
}

async function remove(run: SyncRun, { secretId, name }: CopyNote): Promise<boolean> {
  const { parts, sync, account } = run;
  const whole = wholeName(run, name);
  const found = await account.look(whole);
  const isOurs = found?.owner?.workspaceId === sync.workspaceId && found.owner.subjectId === secretId;
  if (!isOurs || found.isDeleted) return false;
  await commitSync(run, [
    {
      action: 'secret.sync_removed',
      entity: { type: 'secret', id: secretId },
      result: 'success',
      detail: { copy: whole, target: targetText(parts.syncSite, sync) },
      changes: [stillSet(run)],
    },
  ]);
  await account.remove(whole);
  return true;
}

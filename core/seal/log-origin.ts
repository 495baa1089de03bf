/**
 * The origin of a workspace's log (C2SP tlog-checkpoint), which is also the name of the key that signs for it.
 *
 * @param logName a host-like name, the same for the life of a deployment.
 */
export function logOrigin(logName: string, workspaceId: string): string {
  return `${logName}/${workspaceId}`;
}

/** Where a workspace's log begins in the archive: below it lies what C2SP tlog-tiles names. */
export function logPrefix(workspaceId: string): string {
  return `log/${workspaceId}/`;
}

export const CHECKPOINT_PATH = 'checkpoint';
export const SEALS_PATH = 'seals/';

const SIZE_DIGITS = 16;

/** Where a checkpoint is kept for good, by the size of its tree: `seals/0000000000000256`. */
export function sealPath(size: number): string {
  return `${SEALS_PATH}${String(size).padStart(SIZE_DIGITS, '0')}`;
}

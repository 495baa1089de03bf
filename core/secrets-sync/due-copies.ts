import { DAY_MS } from '../kernel/timestamps.ts';
import type { Secret } from '../secrets/secret.ts';
import type { SyncFault } from './customer-secrets.ts';
import type { SecretsSync } from './secrets-sync.ts';
import type { CopyNote } from './sync-records.ts';

/** After this, a copy is looked at once more: somebody may have changed or removed it there. */
export const LOOK_AGAIN_MS = 7 * DAY_MS;
/** How long a copy waits that failed for a reason which lasts. */
export const RETRY_MS = 15 * 60_000;

/** What the next run may find otherwise. */
const PASSING: ReadonlySet<SyncFault> = new Set(['unavailable', 'changed_meanwhile']);

/**
 * Whether a copy is to be looked at now.
 *
 * @param secret as the list has it; undefined for a copy that is to be taken away.
 * @param now epoch milliseconds.
 */
export function isDue(
  { start }: SecretsSync,
  secret: Secret | undefined,
  note: CopyNote | undefined,
  now: number,
): boolean {
  if (note?.start !== start) return true;
  if (note.failing !== undefined) return PASSING.has(note.failing.reason) || now - note.lookedAt >= RETRY_MS;
  return (
    secret?.currentVersion !== note.version || secret === undefined || now - note.lookedAt >= LOOK_AGAIN_MS
  );
}

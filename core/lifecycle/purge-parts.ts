import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent, Origin } from '../audit/event.ts';
import type { SecretParts } from '../secrets/parts.ts';
import type { DeliveryLog } from '../siem/delivery-log.ts';

/** What the purge works with. */
export interface PurgeParts extends SecretParts {
  readonly deliveries: Pick<DeliveryLog, 'forget'>;
  /** Whether there is time to begin something new; whatever is left is for the next run. */
  readonly mayGoOn: () => boolean;
}

/** The job, as the trail names it. */
export const PURGE_JOB = 'purge';

/** Removals in one commit, each with at most one event of its own, of the 100 items that one may have. */
export const REMOVALS = 40;

/**
 * Commits removals; says whether it did. Where somebody changed one of them meanwhile, none is removed: the next run looks
 * again.
 */
export async function commitRemovals(
  { trail }: Pick<PurgeParts, 'trail'>,
  origin: Origin,
  events: readonly AuditEvent[],
): Promise<boolean> {
  try {
    await trail.commit(origin, events);
    return true;
  } catch (error) {
    if (error instanceof RefusedChanges) return false;
    throw error;
  }
}

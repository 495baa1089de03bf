import { createHash } from 'node:crypto';
import { RefusedChanges } from '../audit/append.ts';
import { STRANGER_LANE } from '../audit/event.ts';
import { laneOpened, systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { newWorkspace, workspaceKind } from '../workspaces/workspace.ts';

/**
 * The workspace that the health probe works in. It is like any other, but belongs to nobody. Nobody else can get its id:
 * those of tenants are random, or hashes over more than these words.
 */
export const CANARY_WORKSPACE = `ws_${createHash('sha256').update('lockzero canary').digest('hex').slice(0, 32)}`;

export const PROBE_JOB = 'probe';

export interface CanaryParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
}

/** Makes the canary's workspace, unless it is there. */
export async function openCanary({ store, trail, clock }: CanaryParts): Promise<void> {
  const id = CANARY_WORKSPACE;
  if ((await store.get(workspaceKind, id, id)) !== undefined) return;
  const change = newWorkspace(id, 'Canary of the health probe', timestamp(clock.now()));
  const event = {
    action: 'workspace.created',
    entity: { type: 'workspace', id },
    result: 'success',
    changes: [change],
  } as const;
  try {
    await trail.commit(systemOrigin(id, PROBE_JOB), [event, laneOpened(id, STRANGER_LANE)]);
  } catch (error) {
    // Another run made it at the same moment.
    if (!(error instanceof RefusedChanges)) throw error;
  }
}

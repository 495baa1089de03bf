import { inTurn } from '../workspaces/in-turn.ts';
import { tenants } from '../workspaces/tenants.ts';
import { type SnapshotParts, takeSnapshot } from './take-snapshot.ts';

export interface WorkspaceCounted {
  readonly workspaceId: string;
  /** `recorded`: today's snapshot stands. `counting`: there is more to count. `busy`: another run is at it. */
  readonly status: 'recorded' | 'counting' | 'idle' | 'busy' | 'failed';
  readonly error?: unknown;
}

/**
 * Takes today's snapshot of every workspace, until all have one or the time is up. Each gets one slice in turn, so that a
 * large one holds up no other, and each day begins at another one. Each result is given out as soon as it stands; a
 * workspace that fails keeps no other from its turn.
 *
 * @param mayGoOn asked before each slice; whatever is left is for the next run.
 * @param pages counted in a slice.
 */
export async function* snapshotDeployment(
  parts: SnapshotParts,
  mayGoOn: () => boolean,
  pages?: number,
): AsyncGenerator<WorkspaceCounted> {
  let waiting = inTurn(await tenants(parts.store), parts.clock.now());
  while (waiting.length > 0) {
    const again: string[] = [];
    for (const workspaceId of waiting) {
      if (!mayGoOn()) return;
      const worked = await takeSnapshot(parts, workspaceId, pages);
      if (worked.status === 'failed') yield { workspaceId, status: 'failed', error: worked.error };
      else if (worked.status !== 'worked') yield { workspaceId, status: worked.status };
      else if (worked.state.count === undefined) yield { workspaceId, status: 'recorded' };
      else {
        again.push(workspaceId);
        yield { workspaceId, status: 'counting' };
      }
    }
    waiting = again;
  }
}

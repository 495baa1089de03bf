import { everyWorkspace } from '../workspaces/every-workspace.ts';
import { applyRetention, type RetentionOutcome, type RetentionParts } from './apply-retention.ts';

export interface WorkspaceRetained {
  readonly workspaceId: string;
  /** Absent where the run itself failed. */
  readonly outcome?: RetentionOutcome;
  readonly error?: unknown;
}

/**
 * Applies every workspace's retention. Each result is given out as soon as it stands; a workspace that fails keeps no
 * other from its turn.
 *
 * @param mayGoOn asked before each workspace and each day; whatever is left is for the next run.
 */
export async function* retainDeployment(
  parts: RetentionParts,
  mayGoOn: () => boolean,
): AsyncGenerator<WorkspaceRetained> {
  for await (const workspaceId of everyWorkspace(parts.store)) {
    if (!mayGoOn()) return;
    try {
      yield { workspaceId, outcome: await applyRetention(parts, workspaceId, mayGoOn) };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

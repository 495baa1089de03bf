import { everyWorkspace } from '../workspaces/every-workspace.ts';
import { type ArchiveOutcome, type ArchiveParts, archiveWorkspace } from './archive-workspace.ts';

export interface WorkspaceArchived {
  readonly workspaceId: string;
  /** Absent where the run itself failed. */
  readonly outcome?: ArchiveOutcome;
  readonly error?: unknown;
}

/**
 * Archives every workspace up to yesterday. Each result is given out as soon as it stands; a workspace that fails keeps
 * no other from its turn.
 *
 * @param mayGoOn asked before each workspace and each day; whatever is left is for the next run.
 */
export async function* archiveDeployment(
  parts: ArchiveParts,
  mayGoOn: () => boolean,
): AsyncGenerator<WorkspaceArchived> {
  for await (const workspaceId of everyWorkspace(parts.store)) {
    if (!mayGoOn()) return;
    try {
      yield { workspaceId, outcome: await archiveWorkspace(parts, workspaceId, mayGoOn) };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

import { CANARY_WORKSPACE } from '../probe/canary.ts';
import { everyWorkspace } from '../workspaces/every-workspace.ts';
import { type AnomalyParts, type Detected, detectWorkspace } from './detect-workspace.ts';

export interface WorkspaceDetected extends Detected {
  readonly workspaceId: string;
}

/**
 * Looks at what is new in every workspace, until nothing is left or the time is up. Each gets one batch in turn, so that
 * one with much to look at holds up no other; the turn begins at a random one, so that a run that is too short leaves
 * out others than the one before. Each result is given out as soon as it stands; a workspace that fails keeps no other
 * from its turn.
 *
 * @param mayGoOn asked before each batch; whatever is left is for the next run.
 * @param limit rows in a batch.
 */
export async function* detectDeployment(
  parts: AnomalyParts,
  mayGoOn: () => boolean,
  limit?: number,
): AsyncGenerator<WorkspaceDetected> {
  let waiting = rotated(await allWorkspaces(parts), parts.random.bytes(4));
  while (waiting.length > 0) {
    const again: string[] = [];
    for (const workspaceId of waiting) {
      if (!mayGoOn()) return;
      const detected = await detectWorkspace(parts, workspaceId, limit);
      yield { workspaceId, ...detected };
      if (detected.more) again.push(workspaceId);
    }
    waiting = again;
  }
}

async function allWorkspaces({ store }: AnomalyParts): Promise<readonly string[]> {
  const workspaceIds: string[] = [];
  // Each of its keys lives for minutes: there is nothing to learn, and a hundred profiles a day to keep.
  for await (const workspaceId of everyWorkspace(store))
    if (workspaceId !== CANARY_WORKSPACE) workspaceIds.push(workspaceId);
  return workspaceIds;
}

function rotated(workspaceIds: readonly string[], chance: Uint8Array): readonly string[] {
  const first = Buffer.from(chance).readUInt32BE() % Math.max(1, workspaceIds.length);
  return [...workspaceIds.slice(first), ...workspaceIds.slice(0, first)];
}

import { listPages } from '../kernel/list-pages.ts';
import { inTurn } from '../workspaces/in-turn.ts';
import { ALL_EVIDENCE_SCHEDULES, evidenceScheduleKind } from './evidence-schedule.ts';
import { type ExportOutcome, type ExportParts, exportWorkspace } from './export-workspace.ts';

export interface WorkspaceExported {
  readonly workspaceId: string;
  /** Absent where the run itself failed. */
  readonly outcome?: ExportOutcome;
  readonly error?: unknown;
}

const PAGE = 100;

/**
 * Exports what is due of every workspace with a schedule. Each result is given out as soon as it stands; a workspace that
 * fails keeps no other from its turn.
 *
 * @param mayGoOn asked before each workspace and each bundle; whatever is left is for the next run.
 */
export async function* exportDeployment(
  parts: ExportParts,
  mayGoOn: () => boolean,
): AsyncGenerator<WorkspaceExported> {
  const workspaceIds: string[] = [];
  const query = { list: ALL_EVIDENCE_SCHEDULES, limit: PAGE };
  for await (const page of listPages(parts.store, evidenceScheduleKind, query))
    workspaceIds.push(...page.map(({ id }) => id));
  for (const workspaceId of inTurn(workspaceIds, parts.clock.now())) {
    if (!mayGoOn()) return;
    try {
      yield { workspaceId, outcome: await exportWorkspace(parts, workspaceId, mayGoOn) };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

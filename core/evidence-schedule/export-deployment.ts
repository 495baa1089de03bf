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
/** Bundles of one workspace, until the others have their turn: a large one may have some for hours. */
const BUNDLES_A_TURN = 8;

/**
 * Exports what is due of every workspace with a schedule, in turns. Each result is given out as soon as it stands; a workspace
 * that fails, or has much to export, keeps no other from its turn.
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
  const turns = inTurn(workspaceIds, parts.clock.now()).map((workspaceId) => ({ workspaceId, bundles: 0 }));
  for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
    const { workspaceId } = turn;
    if (!mayGoOn()) {
      if (turn.bundles > 0) yield { workspaceId, outcome: { status: 'interrupted', bundles: turn.bundles } };
      continue;
    }
    try {
      const outcome = await exportWorkspace(parts, workspaceId, oneTurn(mayGoOn));
      const bundles = turn.bundles + outcome.bundles;
      if (outcome.status === 'interrupted') turns.push({ workspaceId, bundles });
      else yield { workspaceId, outcome: { ...outcome, bundles } };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

function oneTurn(mayGoOn: () => boolean): () => boolean {
  let left = BUNDLES_A_TURN;
  return () => {
    left -= 1;
    return left >= 0 && mayGoOn();
  };
}

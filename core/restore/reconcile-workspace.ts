import { explainedFloor } from '../verification/explain-entity.ts';
import { type CommitParts, commitDecisions } from './commit-decisions.ts';
import { type DecisionParts, decideNamed, type KnownRows } from './decide.ts';
import type { Decision } from './decision.ts';
import { newestChanges } from './newest-changes.ts';
import type { RestoreParts } from './restore-parts.ts';
import type { LaneEnds } from './restore-tables.ts';

export type ReconcileParts = Pick<RestoreParts, 'ledger' | 'inspector' | 'kinds' | 'trail'> &
  CommitParts &
  DecisionParts;

/** Entities looked up at once. */
const GROUP = 100;

export interface ReconciledWorkspace {
  /** The workspaces that its rows register. */
  readonly registered: ReadonlySet<string>;
  readonly rows: KnownRows;
}

/**
 * Brings every entity that a workspace's rows name into line with the newest of them. What was done needs no doing again,
 * so a run that died is repeated.
 *
 * @throws as {@link commitDecisions}.
 */
export async function reconcileWorkspace(
  parts: ReconcileParts,
  workspaceId: string,
  ends: LaneEnds,
): Promise<ReconciledWorkspace> {
  const { changes, extraLanes, registered } = await newestChanges(parts.ledger, workspaceId);
  const floor = await explainedFloor(parts, workspaceId);
  const rows: KnownRows = { workspaceId, ends, extraLanes, floor };
  const named = [...changes.values()];
  for (let start = 0; start < named.length; start += GROUP) {
    const group = named.slice(start, start + GROUP);
    const found = await parts.inspector.inspect(workspaceId, group);
    const decisions: Decision[] = [];
    for (const [index, newest] of group.entries()) {
      const decision = await decideNamed(parts, rows, newest, found[index]);
      if (decision !== undefined) decisions.push(decision);
    }
    await commitDecisions(parts, decisions);
  }
  return { registered, rows };
}

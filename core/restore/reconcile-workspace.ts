import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { ScannedJudge } from '../verification/judge-scanned.ts';
import { type BelievedRows, hiding } from './believed-rows.ts';
import { type CommitParts, commitDecisions, type Reconciled } from './commit-decisions.ts';
import { type DecisionParts, decideNamed, type KnownRows } from './decide.ts';
import type { Decision } from './decision.ts';
import { newestChanges } from './newest-changes.ts';
import type { RestoreParts } from './restore-parts.ts';
import type { LaneEnds } from './restore-tables.ts';

export type ReconcileParts = Pick<RestoreParts, 'ledger' | 'inspector' | 'kinds' | 'trail' | 'store'> &
  CommitParts &
  DecisionParts;

/** Entities looked up at once. */
const GROUP = 100;

export interface ReconciledWorkspace {
  /** The workspaces that its rows register. */
  readonly registered: ReadonlySet<string>;
  readonly rows: KnownRows;
  /** What earlier runs of this restore decided. */
  readonly earlier: readonly Reconciled[];
}

/** What is known of a workspace's rows before anything is decided by them. */
export function knownRows(
  parts: ReconcileParts,
  workspaceId: string,
  ends: LaneEnds,
  { isBelieved, floor }: Pick<BelievedRows, 'isBelieved' | 'floor'>,
): KnownRows {
  const judge = new ScannedJudge({ ...parts, ledger: hiding(parts.ledger, isBelieved) });
  const isExplained = (found: InspectedEntity) => judge.isExplained(found);
  return { workspaceId, ends, extraLanes: 0, isBelieved, floor, isExplained };
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
  known: KnownRows,
): Promise<ReconciledWorkspace> {
  const told = await newestChanges(parts.ledger, workspaceId, known);
  const { changes, extraLanes, registered, decided } = told;
  const earlier = decided.filter(({ lane, seq }) => seq > (known.ends[lane] ?? 0));
  const rows: KnownRows = { ...known, extraLanes };
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
  return { registered, rows, earlier };
}

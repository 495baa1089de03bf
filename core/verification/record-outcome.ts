import { PRINCIPAL_LANE } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { verifiedEvent } from '../audit/verify-audit.ts';
import { type Break, GENESIS } from '../audit/verify-lane.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { VerificationParts } from './verification-parts.ts';
import type { Findings, VerificationKind, VerificationRun, Verified } from './verification-state.ts';

type Parts = Pick<VerificationParts, 'ledger' | 'trail' | 'alerts'>;

/** Who verifies, as the trail names it. */
export const VERIFIER = 'verifier';

/** Up to where all is known to be whole after a run that found nothing. */
export function verifiedBy({ rows, tree, archive }: VerificationRun): Verified {
  return {
    lanes: rows.heads,
    ...(tree === undefined ? {} : { tree: { ...tree.tree, root: tree.target.root } }),
    ...(archive?.manifest === undefined ? {} : { manifest: archive.manifest }),
  };
}

/** Whether a workspace has rows. One that was seen once and has none any more vanished as a whole. */
export async function hasRows({ ledger }: Pick<Parts, 'ledger'>, workspaceId: string): Promise<boolean> {
  if (workspaceId === '') return false;
  return (await ledger.lastRow({ workspaceId, lane: PRINCIPAL_LANE })) !== undefined;
}

interface Outcome {
  readonly kind: VerificationKind | 'entities';
  readonly findings: Findings;
  /** The last row of lane 0 that was read. */
  readonly head?: { readonly seq: number; readonly hash: string } | undefined;
  readonly treeSize?: number | undefined;
}

/**
 * Records what came of a verification in the workspace's trail, and raises the alarm if it found a break. A workspace
 * without rows gets none by this; of a break in it, the platform is told.
 */
export async function recordOutcome(
  parts: Parts,
  workspaceId: string,
  { kind, findings, head = GENESIS, treeSize }: Outcome,
): Promise<void> {
  const [first] = findings.breaks;
  const { rows, entities, broken, breaks } = findings;
  const exists = await hasRows(parts, workspaceId);
  if (first !== undefined) {
    await parts.alerts.raise({
      tier: 'critical',
      kind: 'audit_break',
      workspaceId: exists ? workspaceId : PLATFORM_WORKSPACE,
      subject: `row ${first.lane}-${first.seq}`,
      detail: { reason: first.reason, breaks: String(broken), ...aboutOf(first), verification: kind },
    });
  }
  if (!exists) return;
  const verification = {
    ok: broken === 0,
    rows,
    entities,
    head: { lane: PRINCIPAL_LANE, seq: head.seq, hash: head.hash },
    breaks,
  };
  const more = {
    kind,
    ...(treeSize === undefined ? {} : { treeSize: String(treeSize) }),
    ...(broken === 0 ? {} : { breaks: String(broken) }),
  };
  await parts.trail.commit(systemOrigin(workspaceId, VERIFIER), [
    verifiedEvent(workspaceId, verification, more),
  ]);
}

function aboutOf({ entity }: Break): { readonly [key: string]: string } {
  return entity === undefined ? {} : { entity: boundedName(`${entity.kind}/${entity.id}`) };
}

/** A forger chooses the names of entities, and must not keep the verifier from telling them. */
function boundedName(text: string): string {
  return text.slice(0, 200).toWellFormed();
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import type { TimeRange } from './date-range.ts';
import type { AuditEvent } from './event.ts';
import { lanesOf } from './lane-set.ts';
import type { Ledger } from './ledger.ts';
import type { AuditTrail } from './trail.ts';
import { verifyRange } from './verify-range.ts';
import { type Verification, type VerifyParts, verifyWorkspace } from './verify-workspace.ts';

/**
 * Checks the caller's workspace on demand: everything, or only the rows of a span of time.
 *
 * @throws VaultError `log_too_large` when everything is asked for and that is more than 100,000 rows.
 */
export async function verifyAudit(
  parts: VerifyParts & { readonly store: Store; readonly trail: AuditTrail },
  context: RequestContext,
  range: TimeRange,
): Promise<Verification> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:verify');
  const everything = range.from === undefined && range.to === undefined;
  if (everything) await refuseLargeLog(parts.ledger, workspaceId);
  const verification = everything
    ? await verifyWorkspace(parts, workspaceId)
    : await verifyRange(parts, workspaceId, range);
  await parts.trail.commit(originOf(context), [verifiedEvent(workspaceId, verification)]);
  return verification;
}

/** More than one request verifies in the time that it has. */
const MAX_ROWS = 100_000;

async function refuseLargeLog(ledger: Ledger, workspaceId: string): Promise<void> {
  const lanes = await lanesOf(ledger, workspaceId);
  const ends = await Promise.all(lanes.map((lane) => ledger.lastRow({ workspaceId, lane })));
  const rows = ends.reduce((total, last) => total + (last?.seq ?? 0), 0);
  if (rows <= MAX_ROWS) return;
  throw new VaultError(
    'log_too_large',
    `One request verifies at most ${MAX_ROWS} rows, and this workspace has more. Name a span with "from" and "to", or ` +
      'start POST /audit/verifications, which carries on by itself.',
  );
}

/**
 * The outcome of a verification, as the trail keeps it.
 *
 * @param more further facts of it.
 */
export function verifiedEvent(
  workspaceId: string,
  { ok, rows, entities, head, breaks }: Verification,
  more: { readonly [name: string]: string } = {},
): AuditEvent {
  const [first] = breaks;
  return {
    action: 'audit.verified',
    entity: { type: 'workspace', id: workspaceId },
    result: ok ? 'success' : 'failure',
    detail: {
      rows: String(rows),
      entities: String(entities),
      headSeq: String(head.seq),
      headHash: head.hash,
      ...(first === undefined
        ? {}
        : {
            breaks: String(breaks.length),
            lane: String(first.lane),
            seq: String(first.seq),
            reason: first.reason,
            ...(first.entity === undefined
              ? {}
              : { brokenEntity: bounded(`${first.entity.kind}/${first.entity.id}`) }),
          }),
      ...more,
    },
  };
}

/** A forger chooses the names of entities, and must not keep the verifier from writing them down. */
function bounded(text: string): string {
  return text.toWellFormed().slice(0, 200).toWellFormed();
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { TimeRange } from './date-range.ts';
import type { AuditEvent } from './event.ts';
import type { AuditTrail } from './trail.ts';
import { verifyRange } from './verify-range.ts';
import { type Verification, type VerifyParts, verifyWorkspace } from './verify-workspace.ts';

/** Checks the caller's workspace on demand: everything, or only the rows of a span of time. */
export async function verifyAudit(
  parts: VerifyParts & { readonly trail: AuditTrail },
  context: RequestContext,
  range: TimeRange,
): Promise<Verification> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:verify');
  const everything = range.from === undefined && range.to === undefined;
  const verification = everything
    ? await verifyWorkspace(parts, workspaceId)
    : await verifyRange(parts.ledger, workspaceId, range);
  await parts.trail.commit(originOf(context), [verifiedEvent(workspaceId, verification)]);
  return verification;
}

/** The outcome of a verification, as the trail keeps it. */
export function verifiedEvent(
  workspaceId: string,
  { ok, rows, entities, head, breaks }: Verification,
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
    },
  };
}

/** A forger chooses the names of entities, and must not keep the verifier from writing them down. */
function bounded(text: string): string {
  return text.toWellFormed().slice(0, 200).toWellFormed();
}

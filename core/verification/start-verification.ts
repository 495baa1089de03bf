import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { VerificationParts } from './verification-parts.ts';
import { newVerification, type VerificationKind, type WorkspaceVerification } from './verification-state.ts';
import { type VerificationView, viewOf } from './verification-view.ts';
import { verifyWorkspaceSlice } from './verify-workspace-slice.ts';

/** How long the request itself verifies; the job carries on. */
const OWN_SHARE_MS = 5_000;
/** Small enough that the request ends in time. */
const REQUEST_SLICE = 2_000;

/**
 * Starts a verification of the caller's workspace, or joins the one under way: an incremental one that is under way becomes
 * a complete one if that is asked for. Answers after some seconds with what has been checked so far.
 *
 * @throws VaultError `unavailable` when the stores do not answer: the job goes on by itself with what was begun.
 */
export async function startVerification(
  parts: VerificationParts,
  context: RequestContext,
  { kind }: { readonly kind: VerificationKind },
): Promise<VerificationView> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:verify');
  const { run } = await stateOf(parts, workspaceId);
  const id = run?.id ?? newId('ver', parts.random);
  await parts.trail.commit(originOf(context), [
    {
      action: 'audit.verification_started',
      entity: { type: 'verification', id },
      result: 'success',
      detail: { kind },
    },
  ]);
  const end = parts.clock.now() + OWN_SHARE_MS;
  let isStarted = false;
  do {
    const { workspace, finished } = await verifyWorkspaceSlice(
      parts,
      workspaceId,
      (state) => {
        const goesOn = isStarted || state.run?.kind === kind || state.run?.kind === 'complete';
        return goesOn ? undefined : { kind, id: state.run?.id ?? id };
      },
      REQUEST_SLICE,
    );
    if (workspace.status === 'failed') throw workspace.error;
    isStarted = true;
    // Somebody else is at work on it, or it is done.
    if (finished !== undefined || workspace.status !== 'worked') break;
  } while (parts.clock.now() < end);
  const view = viewOf(await stateOf(parts, workspaceId), id);
  if (view !== undefined) return view;
  throw new VaultError(
    'concurrent_change',
    'Another verification of this workspace ended just now. Ask for its outcome, or start this one again.',
  );
}

async function stateOf(
  { verifications }: VerificationParts,
  workspaceId: string,
): Promise<WorkspaceVerification> {
  return (await verifications.read(workspaceId)) ?? newVerification(workspaceId);
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { notFound } from '../kernel/errors.ts';
import type { VerificationParts } from './verification-parts.ts';
import { type VerificationView, viewOf } from './verification-view.ts';

/**
 * How far a verification has come, or what came of it. Of each kind, the last one that ended is kept.
 *
 * @throws VaultError `not_found`
 */
export async function getVerification(
  { trail, verifications }: Pick<VerificationParts, 'trail' | 'verifications'>,
  context: RequestContext,
  id: string,
): Promise<VerificationView> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:verify');
  const state = await verifications.read(workspaceId);
  const view = state && viewOf(state, id);
  if (view === undefined) throw notFound('verification');
  await trail.commit(originOf(context), [
    {
      action: 'audit.verification_read',
      entity: { type: 'verification', id },
      result: 'success',
      detail: { state: view.state },
    },
  ]);
  return view;
}

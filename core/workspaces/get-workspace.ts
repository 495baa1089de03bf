import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { openWorkspace } from './in-open-workspace.ts';
import type { Workspace } from './workspace.ts';

/** The caller's workspace, with what it demands of the people in it. */
export async function getWorkspace(
  { store, trail }: Pick<IdentityParts, 'store' | 'trail'>,
  context: RequestContext,
): Promise<Workspace> {
  const { principal } = context;
  authorize(principal, 'workspace:read');
  const workspace = await openWorkspace(store, principal.workspaceId);
  await trail.commit(originOf(context), [
    { action: 'workspace.read', entity: { type: 'workspace', id: workspace.id }, result: 'success' },
  ]);
  return workspace;
}

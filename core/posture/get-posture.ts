import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { notFound } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type PostureSnapshot, postureSnapshotKind, snapshotList } from './snapshot.ts';

/**
 * The workspace's snapshot of a day, or else its latest.
 *
 * @param day `YYYY-MM-DD`, UTC.
 * @throws VaultError `not_found` where there is none.
 */
export async function getPosture(
  { store, trail }: { readonly store: Store; readonly trail: AuditTrail },
  context: RequestContext,
  day: string | undefined,
): Promise<PostureSnapshot> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'finding:read');
  const snapshot =
    day === undefined
      ? (await store.list(postureSnapshotKind, { list: snapshotList(workspaceId), limit: 1 })).items[0]
      : await store.get(postureSnapshotKind, workspaceId, day);
  if (snapshot === undefined) throw notFound('snapshot of the posture');
  await trail.commit(originOf(context), [
    {
      action: 'posture.read',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { day: snapshot.id },
    },
  ]);
  return snapshot;
}

import type { RequestContext } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { notFound } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { type AlertRecord, alertRecordKind } from './alert-record.ts';

/** For use cases that read alerts. */
export interface AlertParts {
  readonly store: Store;
  readonly trail: AuditTrail;
}

/**
 * An alert of the caller's workspace.
 *
 * @throws VaultError `forbidden`, `not_found`.
 */
export async function findAlert(
  store: Store,
  { principal }: RequestContext,
  permission: Extract<Permission, `alert:${string}`>,
  id: string,
): Promise<AlertRecord> {
  authorize(principal, permission);
  const alert = await store.get(alertRecordKind, principal.workspaceId, id);
  if (alert === undefined) throw notFound('alert');
  return alert;
}

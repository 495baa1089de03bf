import type { RequestContext } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import type { Action, AuditEvent } from '../audit/event.ts';
import { invalid, notFound } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { findingKind } from './finding.ts';
import { type Risk, riskKind } from './risk.ts';

/** @throws VaultError `forbidden`, `not_found` */
export async function findRisk(
  store: Store,
  { principal }: RequestContext,
  permission: Extract<Permission, `finding:${string}`>,
  id: string,
): Promise<Risk> {
  authorize(principal, permission);
  const risk = await store.get(riskKind, principal.workspaceId, id);
  if (risk === undefined) throw notFound('risk');
  return risk;
}

/** @throws VaultError `invalid_request` for a finding that the workspace does not have. */
export async function demandFindings(
  store: Store,
  workspaceId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  const known = new Set((await store.getMany(findingKind, workspaceId, ids)).map(({ id }) => id));
  const unknown = ids.findIndex((id) => !known.has(id));
  if (unknown >= 0) throw invalid(`findings.${unknown}`, 'must be the id of a finding of the workspace');
}

export function riskEvent(
  action: Extract<Action, `risk.${string}`>,
  id: string,
  more: Pick<AuditEvent, 'detail' | 'changes'> = {},
): AuditEvent {
  return { action, entity: { type: 'risk', id }, result: 'success', ...more };
}

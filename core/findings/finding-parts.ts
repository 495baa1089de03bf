import type { RequestContext } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import type { Action, AuditEvent } from '../audit/event.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { invalid, notFound } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { membershipKind } from '../members/membership.ts';
import { fieldChanges, type ToldFields } from './field-changes.ts';
import { type Finding, findingKind } from './finding.ts';

/** For use cases about findings and risks. */
export interface FindingParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Pick<Clock, 'now'>;
}

/** @throws VaultError `forbidden`, `not_found` */
export async function findFinding(
  store: Store,
  { principal }: RequestContext,
  permission: Extract<Permission, `finding:${string}`>,
  id: string,
): Promise<Finding> {
  authorize(principal, permission);
  const finding = await store.get(findingKind, principal.workspaceId, id);
  if (finding === undefined) throw notFound('finding');
  return finding;
}

/**
 * Whoever takes care of something has to be a member at that moment. A member who leaves later stays named.
 *
 * @throws VaultError `invalid_request`
 */
export async function demandMember(
  store: Store,
  workspaceId: string,
  owner: string | undefined,
): Promise<void> {
  if (owner === undefined || (await store.get(membershipKind, workspaceId, owner)) !== undefined) return;
  throw invalid('owner', 'must be the id of a member of the workspace');
}

export function findingEvent(
  action: Extract<Action, `finding.${string}`>,
  id: string,
  more: Pick<AuditEvent, 'detail' | 'changes'> = {},
): AuditEvent {
  return { action, entity: { type: 'finding', id }, result: 'success', ...more };
}

const TOLD: ToldFields<Finding> = {
  values: ['state', 'severity', 'owner', 'dueDate'],
  names: ['title', 'description', 'reason', 'evidence'],
};

/** What a change of a finding changes, for its event; empty when that is nothing. */
export function findingChanges(before: Finding, after: Finding): { readonly [name: string]: string } {
  return fieldChanges(before, after, TOLD);
}

/** What an event says of a new finding. */
export function findingFacts({ severity, source, check, owner, dueDate }: Finding) {
  return {
    severity,
    source,
    ...(check === undefined ? {} : { check }),
    ...(owner === undefined ? {} : { owner }),
    ...(dueDate === undefined ? {} : { dueDate }),
  };
}

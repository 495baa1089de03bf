import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize, authorizeGrant } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { update } from '../kernel/entity.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type ApiKey, apiKeyKind } from './api-key.ts';

interface Parts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
}

/** Ends a key at once: the next request with it is refused. Its record stays, so that the audit trail stays readable. */
export async function revokeApiKey(parts: Parts, context: RequestContext, id: string): Promise<void> {
  const key = await managedKey(parts.store, context, id);
  const revoked = update(apiKeyKind, key, { revokedAt: timestamp(parts.clock.now()) });
  await parts.trail.commit(originOf(context), [
    { action: 'api_key.revoked', entity: { type: 'api_key', id }, result: 'success', changes: [revoked] },
  ]);
}

/** A key of the caller's workspace that is not revoked yet and that the caller may manage. */
export async function managedKey(store: Store, context: RequestContext, id: string): Promise<ApiKey> {
  const { principal } = context;
  authorize(principal, 'api_key:manage');
  const key = await store.get(apiKeyKind, principal.workspaceId, id);
  if (key === undefined) throw notFound('API key');
  authorizeGrant(principal, key);
  if (key.revokedAt !== undefined)
    throw new VaultError('already_revoked', 'This API key was revoked already.');
  return key;
}

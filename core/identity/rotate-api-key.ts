import { originOf, type RequestContext } from '../access/principal.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create, update } from '../kernel/entity.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from './api-key.ts';
import { managedKey } from './revoke-api-key.ts';

interface Parts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A new key with the old one's rights. The old one goes on working for `overlapSeconds`, so that its users can move
 * over, and never longer than it would have worked anyway.
 */
export async function rotateApiKey(
  parts: Parts,
  context: RequestContext,
  input: { readonly id: string; readonly overlapSeconds: number },
): Promise<{ readonly apiKey: ApiKey; readonly token: string; readonly previousExpiresAt: string }> {
  const old = await managedKey(parts.store, context, input.id);
  const now = parts.clock.now();
  const overlapEnd = timestamp(now + input.overlapSeconds * 1000);
  const expiresAt = old.expiresAt !== undefined && old.expiresAt < overlapEnd ? old.expiresAt : overlapEnd;
  const token = newToken(parts.random);
  const { kind: _kind, revision: _revision, ...rights } = old;
  const successor = create(apiKeyKind, {
    ...rights,
    id: apiKeyId(token),
    tokenHash: tokenHash(token),
    createdAt: timestamp(now),
    createdBy: context.principal.id,
    rotatedFrom: old.id,
  });
  await parts.trail.commit(originOf(context), [
    {
      action: 'api_key.rotated',
      entity: { type: 'api_key', id: old.id },
      result: 'success',
      detail: { successor: successor.entity.id, expiresAt },
      changes: [update(apiKeyKind, old, { expiresAt }), successor],
    },
  ]);
  return { apiKey: successor.entity, token, previousExpiresAt: expiresAt };
}

import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { findSecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import { type Secret, secretKind } from './secret.ts';

/** Hides a secret at once and for seven days only: until then it can be restored, after that it is purged. */
export async function deleteSecret(parts: SecretParts, context: RequestContext, id: string): Promise<Secret> {
  const secret = await findSecret(parts.store, context, 'secret:delete', id);
  checkPrecondition(context.precondition, secret);
  const now = timestamp(parts.clock.now());
  const change = update(secretKind, secret, {
    deletedAt: now,
    updatedAt: now,
    updatedBy: context.principal.id,
  });
  await parts.trail.commit(originOf(context), [
    { action: 'secret.deleted', entity: { type: 'secret', id }, result: 'success', changes: [change] },
  ]);
  return change.entity;
}

import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { update } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { findSecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import { type Secret, secretKind } from './secret.ts';

export interface SecretPatch {
  /** `null` removes it. */
  readonly description?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly isCUI?: boolean | undefined;
}

/** Changes a secret's metadata; what the patch does not name stays as it is. */
export async function updateSecret(
  parts: SecretParts,
  context: RequestContext,
  id: string,
  patch: SecretPatch,
): Promise<Secret> {
  const secret = await findSecret(parts.store, context, 'secret:write', id);
  checkPrecondition(context.precondition, secret);
  const change = update(secretKind, secret, {
    ...(patch.description === undefined ? {} : { description: patch.description ?? undefined }),
    ...(patch.tags === undefined ? {} : { tags: [...patch.tags] }),
    ...(patch.isCUI === undefined ? {} : { isCUI: patch.isCUI }),
    updatedAt: timestamp(parts.clock.now()),
    updatedBy: context.principal.id,
  });
  const fields = Object.keys(patch).filter((key) => patch[key as keyof SecretPatch] !== undefined);
  await parts.trail.commit(originOf(context), [
    {
      action: 'secret.updated',
      entity: { type: 'secret', id },
      result: 'success',
      detail: { fields: fields.join(',') },
      changes: [change],
    },
  ]);
  return change.entity;
}

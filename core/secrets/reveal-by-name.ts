import { matches } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { notFound } from '../kernel/errors.ts';
import { findVersion } from './find-secret.ts';
import { openRecorded } from './open-version.ts';
import type { ValueParts } from './parts.ts';
import type { RevealedSecret } from './reveal-secret.ts';
import { nameId, type Secret, secretNameKind } from './secret.ts';

/**
 * The current value of a secret by its name, for machines. If the caller has this revision already (`If-None-Match`),
 * nothing is decrypted and `revealed` is absent.
 */
export async function revealByName(
  parts: ValueParts,
  context: RequestContext,
  input: { readonly namespace: string; readonly name: string },
): Promise<{ readonly secret: Secret; readonly revealed?: RevealedSecret }> {
  const { principal, precondition } = context;
  authorize(principal, 'secret:reveal', input.namespace);
  const named = await parts.store.get(
    secretNameKind,
    principal.workspaceId,
    nameId(input.namespace, input.name),
  );
  if (named === undefined) throw notFound('secret');
  const found = await findVersion(parts.store, context, 'secret:reveal', named.secretId);
  const { secret } = found;
  if (precondition?.ifNoneMatch !== undefined && matches(precondition.ifNoneMatch, secret)) {
    await parts.trail.commit(originOf(context), [
      {
        action: 'secret.read',
        entity: { type: 'secret', id: secret.id },
        result: 'success',
        detail: { namespace: secret.namespace, notModified: 'true' },
      },
    ]);
    return { secret };
  }
  const value = await openRecorded(parts, context, found, 'secret.revealed');
  return { secret, revealed: { secret, version: found.version.version, value } };
}

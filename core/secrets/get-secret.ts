import { originOf, type RequestContext } from '../access/principal.ts';
import { findSecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import type { Secret } from './secret.ts';

/** A secret's metadata. */
export async function getSecret(parts: SecretParts, context: RequestContext, id: string): Promise<Secret> {
  const secret = await findSecret(parts.store, context, 'secret:read', id);
  await parts.trail.commit(originOf(context), [
    {
      action: 'secret.read',
      entity: { type: 'secret', id },
      result: 'success',
      detail: { namespace: secret.namespace },
    },
  ]);
  return secret;
}

import { originOf, type RequestContext } from '../access/principal.ts';
import type { Page } from '../kernel/store.ts';
import { findSecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import { type Secret, type SecretVersion, secretVersionKind } from './secret.ts';

/** A secret's versions, newest first: who wrote them and when. */
export async function listVersions(
  parts: SecretParts,
  context: RequestContext,
  input: { readonly id: string; readonly limit: number; readonly after?: string },
): Promise<{ readonly secret: Secret; readonly page: Page<SecretVersion> }> {
  const { id, ...paging } = input;
  const secret = await findSecret(parts.store, context, 'secret:read', id);
  const page = await parts.store.listChildren(secretVersionKind, secret.workspaceId, id, paging);
  await parts.trail.commit(originOf(context), [
    { action: 'secret.versions_listed', entity: { type: 'secret', id }, result: 'success' },
  ]);
  return { secret, page };
}

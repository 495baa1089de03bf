import type { RequestContext } from '../access/principal.ts';
import { authorize, type Permission } from '../access/role.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import {
  RECOVERY_WINDOW_MS,
  type Secret,
  type SecretVersion,
  secretKind,
  secretVersionKind,
  versionId,
} from './secret.ts';

/** A secret of the caller's workspace, deleted or not, that the caller has this permission on. */
export async function findAnySecret(
  store: Store,
  { principal }: RequestContext,
  permission: Permission,
  id: string,
): Promise<Secret> {
  authorize(principal, permission);
  const secret = await store.get(secretKind, principal.workspaceId, id);
  if (secret === undefined) throw notFound('secret');
  authorize(principal, permission, secret.namespace);
  return secret;
}

/** As {@link findAnySecret}, but not a deleted one. */
export async function findSecret(
  store: Store,
  context: RequestContext,
  permission: Permission,
  id: string,
): Promise<Secret> {
  const secret = await findAnySecret(store, context, permission, id);
  refuseDeleted(secret);
  return secret;
}

/** A secret with one of its versions, the current one by default: for that, a single read. */
export async function findVersion(
  store: Store,
  { principal }: RequestContext,
  permission: Permission,
  id: string,
  version?: number,
): Promise<{ readonly secret: Secret; readonly version: SecretVersion }> {
  authorize(principal, permission);
  const found = await store.getWithNewest(secretKind, secretVersionKind, principal.workspaceId, id);
  if (found === undefined) throw notFound('secret');
  const { parent: secret, newest } = found;
  authorize(principal, permission, secret.namespace);
  refuseDeleted(secret);
  const wanted = version ?? secret.currentVersion;
  // The newest version is the current one, unless a writer came between the reads of the two items.
  const match =
    newest?.version === wanted
      ? newest
      : await store.get(secretVersionKind, principal.workspaceId, versionId(id, wanted));
  if (match === undefined) throw notFound('version of this secret');
  return { secret, version: match };
}

function refuseDeleted({ deletedAt }: Secret): void {
  if (deletedAt === undefined) return;
  const until = timestamp(Date.parse(deletedAt) + RECOVERY_WINDOW_MS);
  throw new VaultError(
    'secret_deleted',
    `This secret was deleted at ${deletedAt}. It can be restored until ${until}.`,
  );
}

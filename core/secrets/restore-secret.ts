import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { disturbedPass } from '../encryption-keys/disturbed-pass.ts';
import { keyMigrationKind } from '../encryption-keys/key-migration.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { findAnySecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import { RECOVERY_WINDOW_MS, type Secret, secretKind, secretVersionKind } from './secret.ts';

/** Brings a deleted secret back as it was, within seven days of its deletion. */
export function restoreSecret(parts: SecretParts, context: RequestContext, id: string): Promise<Secret> {
  return retryRefused(
    () => restore(parts, context, id),
    (refused) => refused.includes(keyMigrationKind.name),
  );
}

async function restore(parts: SecretParts, context: RequestContext, id: string): Promise<Secret> {
  const secret = await findAnySecret(parts.store, context, 'secret:delete', id);
  checkPrecondition(context.precondition, secret);
  if (secret.deletedAt === undefined) throw new VaultError('not_deleted', 'This secret is not deleted.');
  const now = parts.clock.now();
  if (secret.purging || now > Date.parse(secret.deletedAt) + RECOVERY_WINDOW_MS) {
    throw new VaultError(
      'recovery_window_over',
      'This secret can no longer be restored: it is being purged.',
    );
  }
  const change = update(secretKind, secret, {
    deletedAt: undefined,
    updatedAt: timestamp(now),
    updatedBy: context.principal.id,
  });
  const liesUnder = (keyArn: string) => allLieUnder(parts.store, secret, keyArn);
  const changes = [change, ...(await disturbedPass(parts.store, secret.workspaceId, liesUnder))];
  await parts.trail.commit(originOf(context), [
    { action: 'secret.restored', entity: { type: 'secret', id }, result: 'success', changes },
  ]);
  return change.entity;
}

/** Versions read at once: at most 1.3 MB. */
const VERSIONS = 20;

async function allLieUnder(store: Store, { workspaceId, id }: Secret, keyArn: string): Promise<boolean> {
  for (let after: string | undefined; ; ) {
    const query = { limit: VERSIONS, ...(after === undefined ? {} : { after }) };
    const { items, next } = await store.listChildren(secretVersionKind, workspaceId, id, query);
    if (items.some((version) => version.keyArn !== keyArn)) return false;
    if (next === undefined) return true;
    after = next;
  }
}

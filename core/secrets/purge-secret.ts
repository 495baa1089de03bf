import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import type { RefusedChanges } from '../audit/append.ts';
import type { Origin } from '../audit/event.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { remove, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { countSecrets, type SecretCountParts } from '../plans/plan-counts.ts';
import { findAnySecret } from './find-secret.ts';
import type { SecretParts } from './parts.ts';
import { nameId, type Secret, secretKind, secretNameKind, secretVersionKind } from './secret.ts';

/** Versions destroyed in one commit. */
const SLICE = 40;

/** Destroys a deleted secret with all its versions, for good. For owners; its audit rows stay. */
export async function purgeSecret(
  parts: SecretParts & SecretCountParts,
  context: RequestContext,
  id: string,
): Promise<void> {
  const secret = await findAnySecret(parts.store, context, 'secret:purge', id);
  checkPrecondition(context.precondition, secret);
  if (secret.deletedAt === undefined) {
    throw new VaultError('not_deleted', 'Delete this secret first; only a deleted secret can be purged.');
  }
  await destroySecret(parts, originOf(context), secret);
  await countSecrets(parts, secret.workspaceId, -1);
}

/**
 * Destroys a secret's versions, then its name and the secret itself. It is marked first, so that it cannot be
 * restored half destroyed; a run that dies is finished by the next one, which finds the rest. Versions that are moved to
 * another key meanwhile are read again.
 */
export async function destroySecret(parts: SecretParts, origin: Origin, secret: Secret): Promise<void> {
  const { store, trail } = parts;
  const { workspaceId, id } = secret;
  const subject = { type: 'secret', id } as const;
  let current = secret;
  if (!current.purging) {
    const mark = update(secretKind, current, { purging: true });
    await trail.commit(origin, [
      { action: 'secret.purge_started', entity: subject, result: 'success', changes: [mark] },
    ]);
    current = mark.entity;
  }
  const destroySlice = async (): Promise<boolean> => {
    const { items, next } = await store.listChildren(secretVersionKind, workspaceId, id, { limit: SLICE });
    const versions = items.map((version) => remove(secretVersionKind, version));
    if (next !== undefined) {
      await trail.commit(origin, [
        { action: 'secret.purge_started', entity: subject, result: 'success', changes: versions },
      ]);
      return false;
    }
    const name = await store.get(secretNameKind, workspaceId, nameId(current.namespace, current.name));
    const rest = name === undefined ? [] : [remove(secretNameKind, name)];
    await trail.commit(origin, [
      {
        action: 'secret.purged',
        entity: subject,
        result: 'success',
        changes: [...versions, ...rest, remove(secretKind, current)],
      },
    ]);
    return true;
  };
  const isMoved = (refused: RefusedChanges) => refused.includes(secretVersionKind.name);
  for (let isGone = false; !isGone; ) isGone = await retryRefused(destroySlice, isMoved);
}

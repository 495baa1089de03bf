import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { apiKeyKind, apiKeyList, isGoodKey } from '../identity/api-key.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { tidyUserWorkspaces } from '../members/user-workspaces.ts';
import { deletedSecretList, secretKind, secretList } from '../secrets/secret.ts';
import { openWorkspace } from './in-open-workspace.ts';
import { installationKind } from './installation.ts';
import { workspaceKind } from './workspace.ts';

/**
 * Deletes a workspace that is empty: every session in it is refused from its next request on. Its audit trail stays.
 *
 * Nothing works there any more, since nobody can authenticate: no person, and no key, as there is none that is good. A
 * key made at the same moment is refused, for its commit contains a check of the workspace. Secrets need no such check:
 * what a request that was under way put there in the last moment stays sealed, and out of everybody's reach.
 *
 * Whether it is empty is told by lists, which may lag a moment behind: what was made within that moment is overlooked.
 *
 * @throws VaultError `workspace_not_empty`; `forbidden` for the first workspace of the deployment.
 */
export async function deleteWorkspace(
  parts: Pick<IdentityParts, 'store' | 'trail' | 'clock'>,
  context: RequestContext,
): Promise<void> {
  const { store, trail, clock } = parts;
  const { principal } = context;
  const { workspaceId } = principal;
  authorize(principal, 'workspace:delete');
  const workspace = await openWorkspace(store, workspaceId);
  await refuseFirst(store, workspaceId);
  const now = clock.now();
  await refuseSecrets(store, workspaceId);
  await refuseKeys(store, workspaceId, now);
  const origin = originOf(context);
  await trail.commit(origin, [
    {
      action: 'workspace.deleted',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [update(workspaceKind, workspace, { deletedAt: timestamp(now) })],
    },
  ]);
  if (principal.type === 'user') await tidyUserWorkspaces(parts, principal.id, workspaceId, origin);
}

/** A fresh setup token recovers the owner of the first workspace: that one has to stay. */
async function refuseFirst(store: Store, workspaceId: string): Promise<void> {
  const installation = await store.find(installationKind, 'first');
  if (installation?.workspaceId !== workspaceId) return;
  throw new VaultError(
    'forbidden',
    'This is the first workspace of the deployment, which recovers its owners. It cannot be deleted.',
  );
}

async function refuseSecrets(store: Store, workspaceId: string): Promise<void> {
  for (const list of [secretList(workspaceId), deletedSecretList(workspaceId)]) {
    const { items } = await store.list(secretKind, { list, limit: 1 });
    if (items.length > 0) {
      throw new VaultError(
        'workspace_not_empty',
        'This workspace still holds secrets. Delete and purge them first; deleted ones count until they are purged.',
      );
    }
  }
}

const KEYS_PER_READ = 100;

async function refuseKeys(store: Store, workspaceId: string, now: number): Promise<void> {
  const list = apiKeyList(workspaceId);
  let after: string | undefined;
  do {
    const page = await store.list(apiKeyKind, {
      list,
      limit: KEYS_PER_READ,
      ...(after === undefined ? {} : { after }),
    });
    if (page.items.some((key) => isGoodKey(key, now))) {
      throw new VaultError(
        'workspace_not_empty',
        'This workspace still has API keys that are neither revoked nor expired. Revoke them first.',
      );
    }
    after = page.next;
  } while (after !== undefined);
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { Page } from '../kernel/store.ts';
import type { SecretParts } from './parts.ts';
import type { Secret } from './secret.ts';
import { type SecretFilter, selectSecrets } from './select-secrets.ts';

/**
 * One page of metadata; touches no value and no key. Which secrets are decoys is for those who may plant them.
 *
 * @throws VaultError `forbidden`, `step_up_required`.
 */
export async function listSecrets(
  parts: SecretParts,
  context: RequestContext,
  filter: SecretFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Secret>> {
  const { principal } = context;
  authorize(principal, 'secret:list', filter.namespace);
  if (filter.decoy !== undefined) authorize(principal, 'decoy:manage');
  const selected = await selectSecrets(parts.store, principal, filter, page);
  await parts.trail.commit(originOf(context), [
    {
      action: 'secret.listed',
      entity: { type: 'workspace', id: principal.workspaceId },
      result: 'success',
      detail: {
        count: String(selected.items.length),
        ...(filter.namespace === undefined ? {} : { namespace: filter.namespace }),
        ...(filter.decoy === undefined ? {} : { decoy: String(filter.decoy) }),
      },
    },
  ]);
  return selected;
}

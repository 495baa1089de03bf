import type { Principal } from '../access/principal.ts';
import { maySee } from '../access/role.ts';
import { filteredPage } from '../kernel/filtered-page.ts';
import type { ListQuery, Page, Store } from '../kernel/store.ts';
import { deletedSecretList, type Secret, secretKind, secretList } from './secret.ts';

export interface SecretFilter {
  readonly namespace?: string | undefined;
  readonly tag?: string | undefined;
  readonly isCUI?: boolean | undefined;
  /** Part of the name or the description, in any case. */
  readonly q?: string | undefined;
  /** Only deleted secrets that can still be restored; by default none of them. */
  readonly deleted?: boolean | undefined;
  /** Only decoys, or only others. */
  readonly decoy?: boolean | undefined;
}

/**
 * The secrets that the principal may see and that pass the filter, in the list's order. A page may be short, or even
 * empty, and still have a `next`.
 */
export async function selectSecrets(
  store: Store,
  principal: Principal,
  filter: SecretFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<Secret>> {
  const passes = (secret: Secret): boolean => maySee(principal, secret.namespace) && fits(secret, filter);
  return filteredPage(store, secretKind, listQuery(principal.workspaceId, filter), passes, page);
}

function listQuery(
  workspaceId: string,
  { deleted, namespace }: SecretFilter,
): Pick<ListQuery, 'list' | 'prefix'> {
  if (deleted) return { list: deletedSecretList(workspaceId) };
  return { list: secretList(workspaceId), ...(namespace === undefined ? {} : { prefix: `${namespace}/` }) };
}

function fits(secret: Secret, { namespace, tag, isCUI, q, decoy }: SecretFilter): boolean {
  if (namespace !== undefined && secret.namespace !== namespace) return false;
  if (tag !== undefined && !secret.tags.includes(tag)) return false;
  if (isCUI !== undefined && secret.isCUI !== isCUI) return false;
  if (decoy !== undefined && (secret.decoy === true) !== decoy) return false;
  if (q === undefined) return true;
  const wanted = q.toLowerCase();
  return `${secret.name}\n${secret.description ?? ''}`.toLowerCase().includes(wanted);
}

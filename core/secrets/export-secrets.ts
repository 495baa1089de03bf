import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { Page } from '../kernel/store.ts';
import type { SecretParts } from './parts.ts';
import type { Secret } from './secret.ts';
import { selectSecrets } from './select-secrets.ts';

/** Secrets in one export; a longer list goes on with a cursor. */
export const MAX_EXPORTED_SECRETS = 10_000;

/** The metadata of all secrets that the caller may see, or of those marked as CUI or not. Recorded as an export. */
export async function exportSecrets(
  parts: SecretParts,
  context: RequestContext,
  filter: { readonly isCUI?: boolean | undefined },
  after?: string,
): Promise<Page<Secret>> {
  const { principal } = context;
  authorize(principal, 'secret:list');
  const items: Secret[] = [];
  let next = after;
  do {
    const limit = MAX_EXPORTED_SECRETS - items.length;
    const page = await selectSecrets(parts.store, principal, filter, {
      limit,
      ...(next === undefined ? {} : { after: next }),
    });
    items.push(...page.items);
    next = page.next;
  } while (next !== undefined && items.length < MAX_EXPORTED_SECRETS);
  await parts.trail.commit(originOf(context), [
    {
      action: 'secret.exported',
      entity: { type: 'workspace', id: principal.workspaceId },
      result: 'success',
      detail: {
        count: String(items.length),
        ...(filter.isCUI === undefined ? {} : { isCUI: String(filter.isCUI) }),
      },
    },
  ]);
  return { items, ...(next === undefined ? {} : { next }) };
}

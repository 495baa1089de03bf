import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { Page } from '../kernel/store.ts';
import type { SecretParts } from './parts.ts';
import type { Secret } from './secret.ts';
import { selectSecrets } from './select-secrets.ts';

/** Secrets in one export; a longer list goes on with a cursor. */
export const MAX_EXPORTED_SECRETS = 10_000;
const PAGE = 100;
/** One request looks at a bounded part of the list, and answers with what Lambda can send (6 MB, escaped). */
const MAX_ROUNDS = 120;
const MAX_BYTES = 4_000_000;

/**
 * The metadata of all secrets that the caller may see, or of those marked as CUI or not. Recorded as an export. A page
 * may be short and still have a `next`.
 */
export async function exportSecrets(
  parts: SecretParts,
  context: RequestContext,
  filter: { readonly isCUI?: boolean | undefined },
  after?: string,
): Promise<Page<Secret>> {
  const { principal } = context;
  authorize(principal, 'secret:export');
  const items: Secret[] = [];
  let size = 0;
  let next = after;
  for (let round = 0; round < MAX_ROUNDS && size < MAX_BYTES; round += 1) {
    const limit = Math.min(PAGE, MAX_EXPORTED_SECRETS - items.length);
    if (limit === 0) break;
    const page = await selectSecrets(parts.store, principal, filter, {
      limit,
      ...(next === undefined ? {} : { after: next }),
    });
    items.push(...page.items);
    size += page.items.reduce((sum, secret) => sum + bytesInAnswer(secret), 0);
    next = page.next;
    if (next === undefined) break;
  }
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

/** About what a secret takes in the answer, whose text is escaped on its way through Lambda. */
function bytesInAnswer(secret: Secret): number {
  return Buffer.byteLength(JSON.stringify(JSON.stringify(secret)));
}

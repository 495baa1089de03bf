import type { RequestContext } from '../../../core/access/principal.ts';
import type { CursorBinding } from '../../../core/crypto/cursors.ts';
import type { Json } from '../../../core/kernel/canonical-json.ts';
import type { Vault } from '../../shared/compose-vault.ts';

interface PagedQuery {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

/** Opens the cursor of a list's request, and seals the one for its next page: good for the same caller and filters. */
export function paging<Position extends Json>(
  { cursors }: Vault,
  { principal }: RequestContext,
  route: string,
  query: PagedQuery,
) {
  const { cursor, limit: _limit, ...filters } = query;
  const binding: CursorBinding = {
    workspaceId: principal.workspaceId,
    principalId: principal.id,
    route,
    filters: JSON.parse(JSON.stringify(filters)) as Json,
  };
  return {
    /** Where to go on, for the use case; empty on the first page. */
    async after(): Promise<{ readonly after?: Position }> {
      if (cursor === undefined) return {};
      // Only what this vault sealed for this very list opens.
      return { after: (await cursors.open(cursor, binding)) as Position };
    },
    async nextCursor(next: Position | undefined): Promise<string | null> {
      return next === undefined ? null : cursors.seal(next, binding);
    },
  };
}

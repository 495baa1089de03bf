import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';

/** Whose trail tells of something found in a table: a forger may name any workspace, but only one that exists has rows. */
export async function tellingPlace(ledger: Ledger, workspaceId: string): Promise<string> {
  const exists =
    workspaceId !== '' && (await ledger.lastRow({ workspaceId, lane: PRINCIPAL_LANE })) !== undefined;
  return exists ? workspaceId : PLATFORM_WORKSPACE;
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Store } from '../kernel/store.ts';
import { copyPolicy, type PolicyDocument, trustPolicy } from './customer-role.ts';
import { copyPrefix, type SecretsSync, type SyncSite, secretsSyncKind } from './secrets-sync.ts';
import type { SyncRecords, SyncState } from './sync-records.ts';

export interface ReadingParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly syncRecords: SyncRecords;
  readonly syncSite: SyncSite;
}

export interface SyncView {
  /** Absent where nothing is synced. */
  readonly sync: SecretsSync | undefined;
  /** What the last runs came to, where there was one. */
  readonly state: SyncState | undefined;
  readonly prefix: string;
  /** What a role of the customer's needs. */
  readonly role: {
    readonly externalId: string;
    readonly trustPolicy: PolicyDocument;
    readonly permissionsPolicy: PolicyDocument;
  };
}

/** How the workspace's sync is set, how it goes, and the policies of a role for it. */
export async function getSecretsSync(parts: ReadingParts, context: RequestContext): Promise<SyncView> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'secrets_sync:read');
  const view = await viewSync(parts, workspaceId);
  await parts.trail.commit(originOf(context), [
    {
      action: 'secrets_sync.read',
      entity: { type: 'secrets_sync', id: workspaceId },
      result: 'success',
    },
  ]);
  return view;
}

/** As {@link getSecretsSync}, for whoever has just changed it. */
export async function viewSync(
  { store, syncRecords, syncSite }: ReadingParts,
  workspaceId: string,
): Promise<SyncView> {
  const [sync, stored] = await Promise.all([
    store.get(secretsSyncKind, workspaceId, workspaceId),
    syncRecords.read(workspaceId),
  ]);
  return {
    sync,
    // What came of earlier settings says nothing about these.
    state: stored?.state.start === sync?.start ? stored?.state : undefined,
    prefix: copyPrefix(syncSite, workspaceId),
    role: {
      externalId: workspaceId,
      trustPolicy: trustPolicy(syncSite, workspaceId),
      permissionsPolicy: copyPolicy(syncSite, workspaceId, { accountId: '*', region: sync?.region ?? '*' }),
    },
  };
}

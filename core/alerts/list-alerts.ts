import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import type { AlertKind, AlertTier } from '../detection/alert.ts';
import { filteredPage } from '../kernel/filtered-page.ts';
import type { Page } from '../kernel/store.ts';
import { type AlertRecord, type AlertState, alertList, alertRecordKind } from './alert-record.ts';
import type { AlertParts } from './find-alert.ts';

export interface AlertFilter {
  readonly state?: AlertState | undefined;
  readonly tier?: AlertTier | undefined;
  readonly kind?: AlertKind | undefined;
}

/** The workspace's alerts, those that were recorded last first. A page may be short and still have a `next`. */
export async function listAlerts(
  { store, trail }: AlertParts,
  context: RequestContext,
  filter: AlertFilter,
  page: { readonly limit: number; readonly after?: string },
): Promise<Page<AlertRecord>> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'alert:read');
  const query = { list: alertList(workspaceId) };
  const listed = await filteredPage(store, alertRecordKind, query, (alert) => fits(alert, filter), page);
  await trail.commit(originOf(context), [
    {
      action: 'alert.listed',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { count: String(listed.items.length) },
    },
  ]);
  return listed;
}

function fits(alert: AlertRecord, { state, tier, kind }: AlertFilter): boolean {
  return (
    (state === undefined || alert.state === state) &&
    (tier === undefined || alert.tier === tier) &&
    (kind === undefined || alert.alertKind === kind)
  );
}

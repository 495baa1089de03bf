import { type AlertRecord, alertList, alertRecordKind } from '../../core/alerts/alert-record.ts';
import { raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { Alerts } from '../../core/detection/alert.ts';
import type { TableChange } from '../../core/detection/table-change.ts';
import { watchRows } from '../../core/detection/watch-rows.ts';
import type { MemoryVault } from './memory-vault.ts';

/** Alerts that are recorded, as those of a function are, without its log. */
export function recordedAlerts(vault: Pick<MemoryVault, 'store' | 'trail' | 'clock'>, job = 'test'): Alerts {
  return { raise: (alert) => raiseAlert(vault, alert, job) };
}

/** The alerts of a workspace, newest first. */
export async function alertsOf({ store }: MemoryVault, workspaceId: string): Promise<readonly AlertRecord[]> {
  return (await store.list(alertRecordKind, { list: alertList(workspaceId), limit: 100 })).items;
}

/** Shows every row that there is to the guard, as the stream of the table does sooner or later. */
export async function showRows(vault: MemoryVault): Promise<void> {
  const changes = [...vault.tables.rows.values()].map(
    (row): TableChange => ({ table: 'audit', op: 'added', row }),
  );
  await watchRows({ ledger: vault.ledger, alerts: recordedAlerts(vault, 'guard') }, changes);
}

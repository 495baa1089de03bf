import type { Ledger } from '../audit/ledger.ts';
import type { Alerts } from './alert.ts';
import type { TableChange } from './table-change.ts';
import { tellingPlace } from './telling-place.ts';
import { eventOfRow, tripwire } from './tripwires.ts';

/**
 * Looks at each row that was added to the trail, within seconds, and raises the alert that it gives reason for. So what
 * the row tells of costs its request nothing, and somebody who uses a honeypot waits no longer than for any bad key.
 *
 * @throws VaultError `unavailable` when the tables cannot be read: the same rows have to be shown again.
 */
export async function watchRows(
  { ledger, alerts }: { readonly ledger: Ledger; readonly alerts: Alerts },
  changes: readonly TableChange[],
): Promise<void> {
  for (const change of changes) {
    if (change.table !== 'audit' || change.op !== 'added') continue;
    const event = eventOfRow(change.row);
    const alert = event && tripwire(event);
    if (alert === undefined) continue;
    await alerts.raise({ ...alert, workspaceId: await tellingPlace(ledger, alert.workspaceId) });
  }
}

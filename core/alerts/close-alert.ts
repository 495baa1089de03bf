import type { RequestContext } from '../access/principal.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { AlertRecord } from './alert-record.ts';
import type { AlertParts } from './find-alert.ts';
import { settleAlert } from './settle-alert.ts';

/**
 * Says that an alert is dealt with, acknowledged before or not. One that is closed already stays as it is, unless there is
 * a new note. Raised again, it opens again.
 *
 * @throws VaultError `precondition_failed`
 */
export async function closeAlert(
  parts: AlertParts & { readonly clock: Pick<Clock, 'now'> },
  context: RequestContext,
  input: { readonly id: string; readonly note?: string | undefined },
): Promise<AlertRecord> {
  return settleAlert(parts, context, input, {
    state: 'closed',
    action: 'alert.closed',
    patchOf: () => ({ closedAt: timestamp(parts.clock.now()), closedBy: context.principal.id }),
  });
}

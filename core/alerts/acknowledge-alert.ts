import type { RequestContext } from '../access/principal.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { AlertRecord } from './alert-record.ts';
import type { AlertParts } from './find-alert.ts';
import { settleAlert } from './settle-alert.ts';

/**
 * Says that the caller looks into an alert. One that is acknowledged already stays as it is, unless there is a new note.
 *
 * @throws VaultError `alert_closed`: it is dealt with, so there is nothing to look into; `precondition_failed`.
 */
export async function acknowledgeAlert(
  parts: AlertParts & { readonly clock: Pick<Clock, 'now'> },
  context: RequestContext,
  input: { readonly id: string; readonly note?: string | undefined },
): Promise<AlertRecord> {
  return settleAlert(parts, context, input, {
    state: 'acknowledged',
    action: 'alert.acknowledged',
    patchOf: ({ state, closedAt }) => {
      if (state === 'closed') throw alreadyClosed(closedAt);
      return { acknowledgedAt: timestamp(parts.clock.now()), acknowledgedBy: context.principal.id };
    },
  });
}

function alreadyClosed(closedAt = ''): VaultError {
  return new VaultError(
    'alert_closed',
    `This alert was closed at ${closedAt}. It opens by itself if it is raised again; acknowledge it then.`,
  );
}

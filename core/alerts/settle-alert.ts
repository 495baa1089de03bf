import { checkPrecondition } from '../access/precondition.ts';
import { originOf, type RequestContext } from '../access/principal.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { update } from '../kernel/entity.ts';
import { alertEvent, alertSettled } from './alert-event.ts';
import { type AlertRecord, alertRecordKind } from './alert-record.ts';
import { type AlertParts, findAlert } from './find-alert.ts';

interface Settlement {
  readonly state: 'acknowledged' | 'closed';
  readonly action: 'alert.acknowledged' | 'alert.closed';
  /** @throws VaultError where an alert cannot come to this state. */
  readonly patchOf: (alert: AlertRecord) => Partial<AlertRecord>;
}

/**
 * Brings an alert to a state, unless it is in it already: of two who do the same at once, the first one's name stands,
 * and the second gets the alert as it is. Whoever has something to add to a state gives another note.
 *
 * While people decide, functions go on raising. So a commit that was refused is tried again on what is there then,
 * unless `If-Match` says which revision was decided on.
 */
export async function settleAlert(
  { store, trail }: AlertParts,
  context: RequestContext,
  { id, note }: { readonly id: string; readonly note?: string | undefined },
  { state, action, patchOf }: Settlement,
): Promise<AlertRecord> {
  return retryRefused(async () => {
    const alert = await findAlert(store, context, 'alert:manage', id);
    checkPrecondition(context.precondition, alert);
    if (alert.state === state && (note === undefined || note === alert.note)) {
      // Nothing was settled, so whoever follows the trail is not told so once more.
      await trail.commit(originOf(context), [
        { ...alertEvent('alert.read', id), detail: { unchanged: 'true' } },
      ]);
      return alert;
    }
    const change = update(alertRecordKind, alert, {
      ...patchOf(alert),
      state,
      ...(note === undefined ? {} : { note }),
    });
    await trail.commit(originOf(context), [alertSettled(action, change)]);
    return change.entity;
  });
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { alertEvent } from './alert-event.ts';
import type { AlertRecord } from './alert-record.ts';
import { type AlertParts, findAlert } from './find-alert.ts';

/** One alert of the workspace. */
export async function getAlert(
  { store, trail }: AlertParts,
  context: RequestContext,
  id: string,
): Promise<AlertRecord> {
  const alert = await findAlert(store, context, 'alert:read', id);
  await trail.commit(originOf(context), [alertEvent('alert.read', id)]);
  return alert;
}

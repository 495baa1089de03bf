import * as z from 'zod';
import { readOrder } from '../shared/read-order.ts';

const orderSchema = z.strictObject({
  workspaceId: z.string().min(1),
  kind: z.enum(['incremental', 'complete']).default('complete'),
});
const ADVICE =
  'Nothing was verified. Send {"workspaceId": "ws_…", "kind": "complete"}, or the kind "incremental", and nothing else.';

/** The one verification that an operator orders. */
export function orderedVerification(event: unknown): z.infer<typeof orderSchema> | undefined {
  return readOrder(event, orderSchema, ADVICE);
}

import * as z from 'zod';
import { readOrder } from '../shared/read-order.ts';

const workspaceId = z.string().min(1);
const ADVICE = 'Nothing was done. Send {"seal": "ws_…"} or {"recover": "ws_…"}, and nothing else.';

/** The workspace that an operator wants to have sealed now. */
export function orderedSeal(event: unknown): string | undefined {
  return readOrder(event, z.strictObject({ seal: workspaceId }), ADVICE)?.seal;
}

/** The workspace whose sealed rows an operator wants back. */
export function orderedRecovery(event: unknown): string | undefined {
  return readOrder(event, z.strictObject({ recover: workspaceId }), ADVICE)?.recover;
}

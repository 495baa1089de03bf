import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { unavailable } from '../kernel/errors.ts';
import type { Store } from '../kernel/store.ts';
import type { LanePositions } from '../siem/webhook.ts';
import { webhookKind } from '../siem/webhook.ts';
import type { RestoreParts } from './restore-parts.ts';
import type { LaneEnds } from './restore-tables.ts';

/**
 * Puts the cursor of a webhook back to behind the last row that was brought back, if it was beyond: the rows that come in
 * the places of lost ones would never be sent. One that is before stays: what was sent since is sent again.
 *
 * @returns whether it was put back.
 */
export async function clampCursor(
  { store, deliveries }: { readonly store: Store } & Pick<RestoreParts, 'deliveries'>,
  { workspaceId, id }: InspectedEntity,
  ends: LaneEnds,
): Promise<boolean> {
  const webhook = await store.get(webhookKind, workspaceId, id);
  if (webhook === undefined) return false;
  const found = await deliveries.read(webhook);
  const isCurrent = found?.state.start === webhook.start.number;
  const state = isCurrent ? found.state : { start: webhook.start.number, next: webhook.start.next };
  const next = clamped(state.next, ends);
  if (Object.entries(state.next).every(([lane, seq]) => next[lane] === seq)) return false;
  const outcome = await deliveries.replace(webhook, found?.version ?? 0, { ...state, next });
  if (outcome === 'changed') throw unavailable('Something else moves the cursor of a webhook.');
  return true;
}

function clamped(next: LanePositions, ends: LaneEnds): LanePositions {
  const entries = Object.entries(next).map(([lane, seq]) => [lane, Math.min(seq, (ends[lane] ?? 0) + 1)]);
  return Object.fromEntries(entries);
}

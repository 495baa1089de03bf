import type { StoredDeliveryState } from './delivery-log.ts';
import type { LanePositions, Webhook } from './webhook.ts';

/** Webhooks remembered; of more than these, the oldest is forgotten. */
const REMEMBERED = 1_000;

interface Place {
  readonly start: number;
  readonly version: number;
  readonly next: LanePositions;
}

/**
 * How far behind its stored cursor a webhook was found to have nothing to send, as long as this instance lives. Whoever
 * loses it looks at a few hundred rows again.
 *
 * Every row of a workspace wakes the deliverer, and most are of no concern to a webhook of alerts: storing each time how
 * far it looked would cost a write for each row, and looking again from the stored cursor more than that.
 */
export class PassedOver {
  readonly #places = new Map<string, Place>();

  /** From where on to look, for a webhook whose state is as it was read. */
  next({ id }: Webhook, { version, state }: StoredDeliveryState): LanePositions {
    const place = this.#places.get(id);
    // A state that was stored meanwhile is further on, or somebody has decided to begin elsewhere.
    return place?.version === version && place.start === state.start ? place.next : state.next;
  }

  note({ id }: Webhook, { version, state }: StoredDeliveryState, next: LanePositions): void {
    this.#places.delete(id);
    this.#places.set(id, { version, start: state.start, next });
    const [oldest] = this.#places.keys();
    if (this.#places.size > REMEMBERED && oldest !== undefined) this.#places.delete(oldest);
  }
}

/** How many rows lie between two positions. */
export function rowsBetween(from: LanePositions, to: LanePositions): number {
  return Object.entries(to).reduce((sum, [lane, next]) => sum + next - (from[lane] ?? 1), 0);
}

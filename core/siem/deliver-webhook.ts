import { eventId } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { ReadableRow } from '../audit/merged-rows.ts';
import type { DerivedKeys } from '../crypto/derived-keys.ts';
import type { Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { afterGivingUp, failedOnceMore, isPatienceOver, isRefusedForGood } from './backoff.ts';
import type { Delivery, DeliveryLog, DeliveryState, StoredDeliveryState } from './delivery-log.ts';
import { type Batch, MAX_PASSED_OVER, nextBatch } from './next-batch.ts';
import { type PassedOver, rowsBetween } from './passed-over.ts';
import { type Attempt, sendBatch } from './send-batch.ts';
import { parkWebhook, pauseGoneWebhook, type StopParts, tellGivenUp } from './stop-webhook.ts';
import type { Outlets } from './transport.ts';
import { feedOf, type LanePositions, type Webhook, type WebhookRef, webhookKind } from './webhook.ts';

export interface DeliveryParts extends StopParts, Outlets {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly derivedKeys: DerivedKeys;
  readonly deliveries: DeliveryLog;
  readonly passedOver: PassedOver;
}

/** Longer than a request and writing down what came of it take together. */
const LEASE_MS = 30_000;
/** A request and its record need this much of a lease. */
const NEEDED_MS = 20_000;
/** The receiver is gone for good (RFC 9110 section 15.5.11): it wants no further request. */
const GONE = 410;

/** The message itself is refused (RFC 9110 sections 15.5.1, 15.5.14 and 15.5.21): sending it again changes nothing. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([400, 413, 422]);

/**
 * Sends a webhook what is new, batch after batch, until nothing is left, a request fails, or no new one may begin.
 *
 * A lease keeps two deliverers from sending at once, and the cursor moves by compare-and-swap once the receiver has
 * accepted. A crash in between leaves a lease that runs out, and the batch is sent again: at least once, never skipped;
 * but for an alert that its receiver refuses for good, which is given up, and told to the other channels.
 * It looks once more after the last batch: what came while that was under way found the lease taken.
 *
 * @param deadline epoch milliseconds: no request is begun after it.
 * @returns how many events were accepted.
 */
export async function deliverWebhook(
  parts: DeliveryParts,
  ref: WebhookRef,
  deadline: number,
): Promise<number> {
  const { clock, deliveries } = parts;
  const owner = Buffer.from(parts.random.bytes(8)).toString('hex');
  let accepted = 0;
  let leased: StoredDeliveryState | undefined;
  try {
    while (clock.now() < deadline) {
      // Read anew each time: what an admin pauses or points elsewhere gets no further request.
      const webhook = await parts.store.get(webhookKind, ref.workspaceId, ref.id);
      if (webhook?.state !== 'active') break;
      const found = sinceStart(webhook, await deliveries.read(webhook));
      if (!isDue(found.state, owner, clock.now())) break;
      const batch = await nextBatch(parts.ledger, webhook, parts.passedOver.next(webhook, found));
      if (batch.rows.length === 0) {
        const passed = await passOver(parts, webhook, found, batch.after, owner);
        leased = undefined;
        if (passed === 'changed' || (passed === 'noted' && !batch.more)) break;
        continue;
      }
      leased = await hold(parts, webhook, found, batch.first, owner);
      if (leased === undefined) break;

      const attempt = await sendBatch(parts, webhook, batch.rows);
      const { goesOn, ...after } = await aftermath(parts, webhook, leased.state, batch, attempt);
      const { lease: _held, ...unleased } = after.state;
      const keepsLease = attempt.accepted && batch.more && clock.now() < deadline;
      const state = keepsLease ? { ...unleased, lease: leaseFor(owner, clock.now()) } : unleased;
      const replaced = await deliveries.replace(webhook, leased.version, state);
      leased = keepsLease && replaced === 'replaced' ? { version: leased.version + 1, state } : undefined;
      await deliveries.record(webhook, recordOf(batch.rows, attempt, after.givenUp));
      if (attempt.accepted) accepted += batch.rows.length;
      // Where it changed, somebody took over when the lease had run out, and may send the same once more.
      if (replaced === 'changed' || !goesOn) break;
    }
  } finally {
    if (leased !== undefined) await letGo(deliveries, ref, leased);
  }
  return accepted;
}

/** Ends a lease under which nothing more is sent. Should this fail, it runs out. */
async function letGo(
  deliveries: DeliveryLog,
  ref: WebhookRef,
  { version, state: { lease: _held, ...state } }: StoredDeliveryState,
): Promise<void> {
  await deliveries.replace(ref, version, state).catch(() => undefined);
}

/** The state that belongs to the webhook's present start: one from an earlier start holds no more. */
function sinceStart({ start }: Webhook, stored: StoredDeliveryState | undefined): StoredDeliveryState {
  if (stored?.state.start === start.number) return stored;
  const lease = stored?.state.lease;
  return {
    version: stored?.version ?? 0,
    state: { start: start.number, next: start.next, ...(lease === undefined ? {} : { lease }) },
  };
}

/** Whether nobody else is sending, and no failure says to wait. */
function isDue({ lease, failing }: DeliveryState, owner: string, now: number): boolean {
  const isTaken = lease !== undefined && lease.owner !== owner && lease.until > now;
  return !isTaken && (failing === undefined || failing.nextAttemptAt <= now);
}

/**
 * Notes that nothing up to `after` is to be sent. It is stored with what is stored anyway, and otherwise once it is so
 * much that looking again would cost more than the write. A lease that is left ends: nothing is to be sent under it.
 */
async function passOver(
  { deliveries, passedOver }: DeliveryParts,
  webhook: Webhook,
  found: StoredDeliveryState,
  after: LanePositions,
  owner: string,
): Promise<'noted' | 'replaced' | 'changed'> {
  const { lease, ...state } = found.state;
  if (lease?.owner !== owner && rowsBetween(state.next, after) < MAX_PASSED_OVER) {
    passedOver.note(webhook, found, after);
    return 'noted';
  }
  return deliveries.replace(webhook, found.version, { ...state, next: after });
}

/** Takes or renews the lease, at the first row to send; `undefined` when somebody else was first. */
async function hold(
  { deliveries, clock }: DeliveryParts,
  webhook: Webhook,
  { version, state: found }: StoredDeliveryState,
  first: LanePositions,
  owner: string,
): Promise<StoredDeliveryState | undefined> {
  const now = clock.now();
  const state = { ...found, next: first };
  if (state.lease?.owner === owner && state.lease.until - now >= NEEDED_MS) return { version, state };
  const held = { ...state, lease: leaseFor(owner, now) };
  const replaced = await deliveries.replace(webhook, version, held);
  return replaced === 'replaced' ? { version: version + 1, state: held } : undefined;
}

function leaseFor(owner: string, now: number): NonNullable<DeliveryState['lease']> {
  return { owner, until: now + LEASE_MS };
}

interface Aftermath {
  readonly state: DeliveryState;
  /** Whether what comes next may be sent now. */
  readonly goesOn: boolean;
  /** Whether the receiver will not be sent these rows again, although it did not take them. */
  readonly givenUp: boolean;
}

/** What holds after a request. Where it was one failure too many, the webhook is stopped first, or the row given up. */
async function aftermath(
  parts: DeliveryParts,
  webhook: Webhook,
  { failing: earlier, ...state }: DeliveryState,
  { rows, after }: Batch,
  attempt: Attempt,
): Promise<Aftermath> {
  if (attempt.accepted) return { state: { ...state, next: after }, goesOn: true, givenUp: false };
  const now = parts.clock.now();
  const feed = feedOf(webhook);
  const { status, retryAfter } = attempt;
  const reason = attempt.error ?? `status_${status}`;
  const isRefusal = REFUSALS.has(status);
  const failing = failedOnceMore(feed, earlier, { reason, isRefusal, retryAfter }, now, parts.random);
  const [first] = rows;
  if (status === GONE) await pauseGoneWebhook(parts, webhook, reason);
  else if (isPatienceOver(failing, now)) await parkWebhook(parts, webhook, failing, idOf(first));
  else if (first !== undefined && isRefusal && isRefusedForGood(feed, failing)) {
    await tellGivenUp(parts, webhook, first, reason);
    const next = { ...state, next: after, failing: afterGivingUp(failing, idOf(first), now) };
    return { state: next, goesOn: true, givenUp: true };
  }
  return { state: { ...state, failing }, goesOn: false, givenUp: false };
}

function recordOf(rows: readonly ReadableRow[], attempt: Attempt, givenUp: boolean): Delivery {
  const { retryAfter: _asked, ...outcome } = attempt;
  return {
    ...outcome,
    ...(givenUp ? { givenUp } : {}),
    events: rows.length,
    firstEventId: idOf(rows[0]),
    lastEventId: idOf(rows.at(-1)),
  };
}

function idOf(row: ReadableRow | undefined): string {
  return row === undefined ? '' : eventId(row.stored);
}

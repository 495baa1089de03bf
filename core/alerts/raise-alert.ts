import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { ALERT_TIERS, type Alert, type AlertTier } from '../detection/alert.ts';
import { create, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { alertRaised } from './alert-event.ts';
import { type AlertRecord, alertId, alertRecordKind, MAX_OCCURRENCES } from './alert-record.ts';
import { boundedAlert } from './bounded-alert.ts';

export interface RaiseParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Pick<Clock, 'now'>;
}

/** In such a time, what goes on is recorded once, and what has occurrences with names {@link MAX_OCCURRENCES} times. */
const RECORD_INTERVAL_MS = 15 * 60_000;

/**
 * Records an alert in its workspace, with its event `alert.raised`: a new one, or once more one that is known. A closed
 * one opens again. Raised a second time for the same occurrence, or for none within 15 minutes, it stays as it is; so
 * whoever does not know whether it was recorded raises it again. Of new occurrences, 20 are recorded in 15 minutes:
 * channels tell of alerts one by one, and whoever can cause one at will must not keep them from the next.
 *
 * Where somebody has spoiled the record in the table, the event alone tells, each time: nobody silences an alert by that.
 *
 * @param job which function raises it: the actor of the event.
 * @throws VaultError `unavailable` when it could not be recorded, or perhaps was; `concurrent_change` when that many others
 * raise the same one at once that it is known by now.
 */
export async function raiseAlert(
  { store, trail, clock }: RaiseParts,
  alert: Alert,
  job: string,
): Promise<void> {
  const raised = boundedAlert(alert);
  const { workspaceId } = raised;
  const id = alertId(raised);
  const origin = systemOrigin(workspaceId, job);
  await retryRefused(async () => {
    const now = clock.now();
    const first = create(alertRecordKind, firstTime(id, raised, timestamp(now)));
    const known = await findRecord(store, workspaceId, id);
    if (known === 'spoiled') {
      await trail.commit(origin, [{ ...alertRaised(first), changes: [] }]);
      return;
    }
    if (known !== undefined && isRecorded(known, raised, now)) return;
    const change =
      known === undefined ? first : update(alertRecordKind, known, onceMore(known, raised, timestamp(now)));
    await trail.commit(origin, [alertRaised(change)]);
  });
}

async function findRecord(
  store: Store,
  workspaceId: string,
  id: string,
): Promise<AlertRecord | 'spoiled' | undefined> {
  try {
    return await store.get(alertRecordKind, workspaceId, id);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return 'spoiled';
    throw error;
  }
}

function isRecorded(known: AlertRecord, { occurrence, tier }: Alert, now: number): boolean {
  const { occurrences, lastSeenAt } = known;
  if (occurrences.some(({ name }) => name === occurrence)) return true;
  if (known.state === 'closed' || isHigher(tier, known.tier)) return false;
  if (occurrence === undefined) return isRecent(lastSeenAt, now);
  const [oldest] = occurrences;
  return occurrences.length === MAX_OCCURRENCES && oldest !== undefined && isRecent(oldest.at, now);
}

/** Either way: the clocks of two functions differ. */
function isRecent(time: string, now: number): boolean {
  return Math.abs(now - Date.parse(time)) < RECORD_INTERVAL_MS;
}

function firstTime(id: string, alert: Alert, now: string) {
  const { workspaceId, kind, tier, subject, occurrence } = alert;
  return {
    workspaceId,
    id,
    alertKind: kind,
    tier,
    subject,
    ...factsOf(alert),
    state: 'open',
    count: 1,
    firstSeenAt: now,
    openedAt: now,
    lastSeenAt: now,
    occurrences: occurrence === undefined ? [] : [{ name: occurrence, at: now }],
  } as const satisfies Omit<AlertRecord, 'kind' | 'revision'>;
}

function onceMore(known: AlertRecord, alert: Alert, now: string) {
  const isClosed = known.state === 'closed';
  const isWorse = isHigher(alert.tier, known.tier);
  const occurrences = alert.occurrence === undefined ? [] : [{ name: alert.occurrence, at: now }];
  return {
    ...factsOf(alert),
    // What was dealt with counts no longer.
    tier: isClosed || isWorse ? alert.tier : known.tier,
    count: known.count + 1,
    lastSeenAt: now,
    occurrences: [...known.occurrences, ...occurrences].slice(-MAX_OCCURRENCES),
    // Whoever acknowledged it has not seen how bad it is by now.
    ...(isClosed || isWorse ? OPEN_AGAIN : {}),
    ...(isClosed ? { openedAt: now } : {}),
  };
}

const OPEN_AGAIN = {
  state: 'open',
  acknowledgedAt: undefined,
  acknowledgedBy: undefined,
  closedAt: undefined,
  closedBy: undefined,
} as const;

/** What was found, this time. */
function factsOf({ seen, usual, rows = [], detail }: Alert) {
  return { seen, usual, rows: [...rows], detail };
}

function isHigher(tier: AlertTier, than: AlertTier): boolean {
  return ALERT_TIERS.indexOf(tier) > ALERT_TIERS.indexOf(than);
}

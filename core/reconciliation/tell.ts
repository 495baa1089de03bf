import { createHash } from 'node:crypto';
import type { Day } from '../archive/day.ts';
import type { Alert, Alerts } from '../detection/alert.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { mayMake, type VaultRoles } from './call-roles.ts';
import type { ValueCall } from './collect-calls.ts';
import type { KeyCall } from './key-calls.ts';
import { parseValueKey } from './opened-value.ts';

export interface TellParts {
  readonly alerts: Alerts;
  readonly store: Store;
}

type ToldCall = Pick<ValueCall, 'at' | 'eventId' | 'movedTo'>;

/** Calls on one value that nothing accounts for. */
export interface Unexplained {
  /** `valueKey` */
  readonly value: string;
  /** At least one, by rising time. */
  readonly calls: readonly ToldCall[];
}

/** Alerts of one run: so many for each workspace or for strangers, then one for the rest; for so many workspaces. */
const MAX_ALERTS_EACH = 20;
const MAX_WORKSPACES = 100;
const MAX_IDS = 10;
const JOB = 'reconciler';

/**
 * Tells each workspace what was decrypted of it without a row, or moved to a key that it does not use. What says to be of a
 * workspace that does not exist is told to the platform, and so is the sum where there is too much to tell.
 */
export async function tellUnexplained(
  parts: TellParts,
  day: Day,
  unexplained: readonly Unexplained[],
): Promise<void> {
  const byWorkspace = Map.groupBy(unexplained, ({ value }) => parseValueKey(value).workspaceId);
  const workspaces = [...byWorkspace];
  for (const [workspaceId, values] of workspaces.slice(0, MAX_WORKSPACES)) {
    const place = await placeOf(parts.store, workspaceId);
    for (const one of values.slice(0, MAX_ALERTS_EACH))
      await parts.alerts.raise(withoutRow(place, subjectOf(one.value, place), day, one.calls));
    const rest = values.slice(MAX_ALERTS_EACH).flatMap(({ calls }) => calls);
    if (rest.length > 0) {
      const subject = `further secrets of ${workspaceId} on ${day}`;
      await parts.alerts.raise(withoutRow(place, subject, day, rest));
    }
  }
  const rest = workspaces.slice(MAX_WORKSPACES);
  if (rest.length > 0) {
    const calls = rest.flatMap(([, values]) => values.flatMap((one) => one.calls));
    const subject = `secrets of ${rest.length} further workspaces on ${day}`;
    await parts.alerts.raise(withoutRow(PLATFORM_WORKSPACE, subject, day, calls));
  }
}

/** Where somebody has spoiled the workspace's record, in its trail all the same: nobody silences an alert by that. */
async function placeOf(store: Store, workspaceId: string): Promise<string> {
  try {
    const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
    return workspace === undefined ? PLATFORM_WORKSPACE : workspaceId;
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return workspaceId;
    throw error;
  }
}

function subjectOf(value: string, place: string): string {
  const { workspaceId, secretId, version } = parseValueKey(value);
  if (workspaceId === PLATFORM_WORKSPACE) return `second factor of user ${secretId} version ${version}`;
  const where = place === workspaceId ? '' : ` of ${workspaceId}`;
  return `secret ${secretId} version ${version}${where}`;
}

function withoutRow(workspaceId: string, subject: string, day: Day, calls: readonly ToldCall[]): Alert {
  const movedTo = calls.find((call) => call.movedTo !== undefined)?.movedTo;
  const did = movedTo === undefined ? 'decrypted' : 'decrypted or moved to another key';
  return {
    tier: 'critical',
    kind: 'decrypt_without_row',
    workspaceId,
    subject,
    seen: `The key service ${did} ${times(calls.length)} what nothing in the audit trail accounts for.`,
    usual:
      'A row stands before every decryption, and values are moved only to keys that their workspace uses.',
    occurrence: occurrenceOf(calls),
    detail: { job: JOB, day, ...(movedTo === undefined ? {} : { movedTo }), ...factsOf(calls) },
  };
}

/** Tells the platform whose calls were not the vault's. */
export async function tellStrange(
  { alerts }: TellParts,
  day: Day,
  strange: readonly KeyCall[],
  roles: VaultRoles,
): Promise<void> {
  const groups = [
    ...Map.groupBy(strange, ({ principal, errorCode }) => `${errorCode === undefined} ${principal}`),
  ];
  for (const [, calls] of groups.slice(0, MAX_ALERTS_EACH)) {
    const [first] = calls;
    if (first === undefined) continue;
    const { principal, errorCode } = first;
    const reason = calls.every((call) => mayMake(roles, call)) ? 'context' : 'principal';
    const operation = [...new Set(calls.map((call) => call.operation))].join(' ');
    const was = errorCode === undefined ? 'used a key for values' : 'was refused a key for values';
    await alerts.raise({
      tier: errorCode === undefined ? 'critical' : 'warning',
      kind: 'decrypt_by_stranger',
      workspaceId: PLATFORM_WORKSPACE,
      subject: `${errorCode === undefined ? 'principal' : 'refused principal'} ${principal}`.slice(0, 300),
      seen: `Somebody ${was} ${times(calls.length)}: ${
        reason === 'principal'
          ? 'not one of the roles that may'
          : 'with an encryption context that is none of the vault’s'
      }.`,
      usual:
        'Only the vault decrypts values or moves them, and names the secret, its version and its workspace.',
      occurrence: occurrenceOf(calls),
      detail: { job: JOB, day, reason, operation, ...factsOf(calls) },
    });
  }
  const rest = groups.slice(MAX_ALERTS_EACH).flatMap(([, calls]) => calls);
  if (rest.length === 0) return;
  await alerts.raise({
    tier: rest.some(({ errorCode }) => errorCode === undefined) ? 'critical' : 'warning',
    kind: 'decrypt_by_stranger',
    workspaceId: PLATFORM_WORKSPACE,
    subject: `further principals on ${day}`,
    occurrence: occurrenceOf(rest),
    detail: { job: JOB, day, ...factsOf(rest) },
  });
}

/** Tells the platform that a day cannot be judged, or not all of it. */
export async function tellBlindness(
  { alerts }: TellParts,
  day: Day,
  {
    reason,
    seen,
    detail = {},
  }: {
    readonly reason: 'no_calls' | 'silent_hours' | 'damaged_files' | 'failed' | 'broken';
    readonly seen: string;
    readonly detail?: { readonly [name: string]: string };
  },
): Promise<void> {
  await alerts.raise({
    // What failed for the moment is repeated; the rest stays dark until somebody looks.
    tier: reason === 'failed' ? 'warning' : 'critical',
    kind: 'job_failed',
    workspaceId: PLATFORM_WORKSPACE,
    subject: `reconciliation of ${day}: ${reason}`,
    seen,
    occurrence: `${day} ${reason}`,
    detail: { job: JOB, day, reason, ...detail },
  });
}

function factsOf(calls: readonly Pick<ValueCall, 'at' | 'eventId'>[]) {
  return {
    calls: String(calls.length),
    firstAt: timestamp(Math.min(...calls.slice(0, MAX_SCANNED).map(({ at }) => at))),
    eventIds: calls
      .slice(0, MAX_IDS)
      .map(({ eventId }) => eventId)
      .join(' '),
  };
}

/** So many arguments a function call takes without harm; calls of one value come by rising time anyway. */
const MAX_SCANNED = 10_000;

/** The same for the same calls, however often they are looked at. */
function occurrenceOf(calls: readonly Pick<ValueCall, 'eventId'>[]): string {
  const [first, ...others] = calls.map(({ eventId }) => eventId).sort();
  if (others.length === 0) return first ?? '';
  return createHash('sha256')
    .update([first, ...others].join('\n'))
    .digest('hex')
    .slice(0, 32);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

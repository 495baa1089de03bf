import { strangerOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { isId } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Bookkeeping, TallyKey } from './bookkeeping.ts';
import type { Caller } from './caller.ts';

export interface RecordFailureParts {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly bookkeeping: Bookkeeping;
}

export interface FailedAuthentication extends Caller {
  /** Whose credentials were tried, and in which workspace, where that is known. */
  readonly subject: FailureSubject | undefined;
  readonly reason: string;
}

export interface FailureSubject {
  readonly workspaceId: string;
  readonly type: 'api_key' | 'user';
  readonly id: string;
}

/** At most this many sources a minute get a row of their own, of each key and of all else in a workspace; the rest share one. */
export const MAX_SOURCES_PER_MINUTE = 30;

/** Nobody comes upon these by chance, so no crowd of other failures may hide them: a real token is in wrong hands. */
const ALWAYS_TOLD: ReadonlySet<string> = new Set(['refresh_token_reused', 'code_used']);

/**
 * The reason of a refusal over a plan's limit. Whoever gets it had valid credentials: it is counted apart, so that a fleet of
 * clients neither hides somebody who tries to get in nor looks like that.
 */
export const PLAN_LIMIT = 'plan_limit';

const OTHER_SOURCES = '*';
const MINUTE_MS = 60_000;

/**
 * Records that somebody came without valid credentials. The first time in a minute that an address fails for a reason
 * is a row at once; its repeats are only counted, and become one row when the minute is over (`sweep-tallies.ts`).
 * With more than {@link MAX_SOURCES_PER_MINUTE} sources, the rest are counted together: strangers cannot fill the trail.
 *
 * The sources of a key are counted for themselves, so that neither a crowd of other failures hides that a honeypot is
 * tried, nor does a honeypot that is told of in spite of the crowd take longer than a revoked key that is not.
 */
export async function recordFailedAuthentication(
  parts: RecordFailureParts,
  failure: FailedAuthentication,
): Promise<void> {
  const { trail, clock, bookkeeping } = parts;
  const origin = strangerOrigin(failure.subject?.workspaceId, failure.ip, failure.userAgent, failure.country);
  const tally: TallyKey = {
    minute: Math.floor(clock.now() / MINUTE_MS),
    workspaceId: origin.workspaceId,
    ip: failure.ip,
    reason: countedReason(failure),
  };
  if ((await bookkeeping.count(tally)) > 1) return;
  const sources = await bookkeeping.count({ ...tally, ip: OTHER_SOURCES, reason: crowdOf(failure) });
  if (sources > MAX_SOURCES_PER_MINUTE && !ALWAYS_TOLD.has(failure.reason)) return;
  await trail.commit(origin, [
    {
      action: 'authentication.failed',
      entity:
        failure.subject === undefined
          ? { type: 'workspace', id: origin.workspaceId }
          : { type: failure.subject.type, id: failure.subject.id },
      result: 'denied',
      detail: { reason: failure.reason },
    },
  ]);
}

/**
 * Each person who is guessed at and each key that is tried is told of by itself: with a space between, which no reason and
 * no id has. All keys alike: were it honeypots alone, a second one within a minute would take longer than a second
 * revoked one.
 */
function countedReason({ reason, subject }: FailedAuthentication): string {
  return subject === undefined ? reason : `${reason} ${subject.id}`;
}

/** The failures that a failure's source is counted among. */
function crowdOf({ subject, reason }: FailedAuthentication): string {
  if (reason === PLAN_LIMIT) return `sources ${PLAN_LIMIT}`;
  return subject?.type === 'api_key' ? `sources ${subject.id}` : 'sources';
}

/** What a tally's reason is made of, as the members of an event's detail. */
export function readReason({ reason }: TallyKey): {
  readonly reason: string;
  readonly userId?: string;
  readonly keyId?: string;
} {
  const [name = '', id] = reason.split(' ');
  if (id === undefined) return { reason: name };
  return isId('key', id) ? { reason: name, keyId: id } : { reason: name, userId: id };
}

/** Whether the row of a source's repeats comes before those of others, of which some may have to share one. */
export function comesFirst(tally: TallyKey): boolean {
  const { reason } = readReason(tally);
  return reason === 'honeypot' || ALWAYS_TOLD.has(reason);
}

/** Whether a tally is the count of a minute's sources, not of one source's failures. */
export function countsSources(tally: TallyKey): boolean {
  return tally.ip === OTHER_SOURCES;
}

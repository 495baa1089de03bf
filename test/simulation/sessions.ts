import { cookieOf, tokenOf } from './credentials.ts';
import type { Exchange } from './evidence.ts';
import { type Facts, type Holder, isIssue, type Row } from './facts.ts';

/** What became of a session, by the rows. */
export interface SessionStory {
  readonly id: string;
  readonly userId: string;
  readonly workspaceId: string;
  /** The session that the login opened, and the one that it goes on from, through whatever workspaces. */
  readonly loginId: string;
  readonly familyId: string;
  /** The row that opened it, and the step at which the request for it was received. */
  readonly opened: Row;
  readonly since: number;
  /** The rows with which it got tokens, in order: each is the end of the refresh token before. */
  readonly issues: readonly Row[];
  /** The steps after which it is over for sure, */
  readonly ends: number[];
  /** and those after which it may be. */
  readonly doubts: number[];
}

/** Ends of one session, which they change, or of all that came of a login. */
const OWN_ENDS: ReadonlySet<string> = new Set([
  'session.ended',
  'session.reuse_detected',
  'oauth.code_reused',
  'oauth.token_revoked',
]);
/** Ends of all sessions of a person, everywhere; they change the person. */
const EPOCHS: ReadonlySet<string> = new Set([
  'user.password_changed',
  'user.password_reset',
  'user.mfa_enabled',
  'user.mfa_disabled',
  'user.recovered',
  'session.all_revoked',
]);
/** Ends of all sessions of a person in one workspace; they change the membership. */
const GROUPS: ReadonlySet<string> = new Set(['member.removed', 'member.signed_out', 'owner.recovered']);

/**
 * All sessions that rows tell of, by id, with their ends.
 *
 * @param formerOf the session that a request opens another one from, if it does.
 */
export function tellSessions(
  facts: Facts,
  formerOf: (opening: Exchange | undefined) => Holder | undefined,
): Map<string, SessionStory> {
  const rows = facts.rows.filter(({ changes }) => changes.length > 0).sort((a, b) => a.step - b.step);
  const issues = Map.groupBy(rows.filter(isIssue), ({ entity }) => entity.id);
  const stories = new Map<string, SessionStory>();
  for (const [id, issued] of issues) {
    const [opened] = issued;
    if (opened === undefined) continue;
    const opening = facts.evidence.exchanges[opened.exchange ?? -1];
    const since = opening?.start ?? opened.step;
    const { actor, ws } = opened;
    const former = stories.get(formerOf(opening)?.session?.id ?? '');
    const familyId = opened.action === 'session.switched' ? (former?.familyId ?? id) : id;
    const whose = { id, userId: actor.id, workspaceId: ws, loginId: former?.loginId ?? id, familyId };
    stories.set(id, { ...whose, opened, since, issues: issued, ends: [], doubts: [] });
  }
  for (const row of rows) {
    for (const story of stories.values()) noteEnd(facts, story, row);
  }
  return stories;
}

/** The rows at which all that a person had begun before came to its end: sessions, logins, links, known devices. */
export function epochRows({ rows }: Pick<Facts, 'rows'>, userId: string): Row[] {
  const isEpoch = ({ action, entity, changes }: Row): boolean =>
    EPOCHS.has(action) && entity.id === userId && changes.some(({ kind }) => kind === 'user');
  return rows.filter(isEpoch);
}

function noteEnd(facts: Facts, story: SessionStory, row: Row): void {
  const changed = (kind: string): string | undefined =>
    row.changes.find((change) => change.kind === kind)?.id;
  if (OWN_ENDS.has(row.action)) {
    const ended = changed('endedLogin');
    const isAmong = ended !== undefined && (ended === story.loginId || ended === story.familyId);
    // What is opened of it later is dead from the start.
    if (isAmong || changed('session') === story.id) story.ends.push(row.step);
    return;
  }
  const isEpoch = EPOCHS.has(row.action) && changed('user') === story.userId;
  const isGroup =
    GROUPS.has(row.action) && row.ws === story.workspaceId && changed('membership') === story.userId;
  if (!isEpoch && !isGroup) return;
  // Whoever switches MFA on or off goes on in the session at work, unless that changes at the same moment.
  const isOwn = row.action.startsWith('user.mfa_') && workerOf(facts, row)?.session?.id === story.id;
  if (row.step > story.opened.step && !isOwn) story.ends.push(row.step);
  // One that was being opened meanwhile may have been dead from the start.
  else if (row.step > story.since) story.doubts.push(row.step);
}

/** Who made the request that a row comes from. */
function workerOf({ evidence, holders }: Facts, { exchange }: Row): Holder | undefined {
  const cause = evidence.exchanges[exchange ?? -1];
  return cause && holders.get(tokenOf(cause) ?? '');
}

const SECOND_MS = 1_000;
const ACCESS_MS = 5 * 60 * SECOND_MS;
const IDLE_MS = 30 * 60 * SECOND_MS;
/** A use may be noted this much later than it was asked for. */
const LATE_MS = 60 * SECOND_MS;

/** What of a session's tokens, at the moments of one request, is over for sure, and what may be. */
export interface Standing {
  readonly isOver: boolean;
  readonly mayBeOver: boolean;
}

/** Uses of a session by requests, to tell how long it was idle. */
export type Uses = ReadonlyMap<string, readonly Exchange[]>;

export function sessionUses({ evidence, holders }: Facts): Uses {
  return Map.groupBy(evidence.exchanges, (exchange) => {
    const { sent } = exchange;
    if (sent.path === '/auth/session') return '';
    const shown = sent.path === '/oauth/authorize' ? cookieOf(sent, 'access') : tokenOf(exchange);
    return holders.get(shown ?? '')?.session?.id ?? '';
  });
}

/** The session alone, whatever token names it. */
export function standingOf(
  facts: Facts,
  uses: Uses,
  story: SessionStory,
  { number, start, end = Number.MAX_SAFE_INTEGER, startTime, endTime = startTime }: Exchange,
): Standing {
  const opening = facts.evidence.exchanges[story.opened.exchange ?? -1];
  const others = (uses.get(story.id) ?? []).filter((use) => use.number !== number);
  const latest = [opening, ...others]
    .filter((use) => use !== undefined && use.start <= end)
    .map((use) => (use?.endTime ?? use?.startTime ?? 0) + LATE_MS);
  const isEnded = story.ends.some((step) => step <= start);
  const mayBeEnded = [...story.ends, ...story.doubts].some((step) => step <= end);
  const isIdle = startTime - Math.max(...latest) > IDLE_MS;
  // Later uses may not have been noted: that harms nobody else.
  const since = opening?.startTime ?? Number.NEGATIVE_INFINITY;
  const mayBeIdle = endTime - since > IDLE_MS - LATE_MS - facts.evidence.skew;
  return { isOver: isEnded || isIdle, mayBeOver: mayBeEnded || mayBeIdle };
}

/** An access token is over five minutes after it was made, and with a step-up; by the clocks of those who judge it. */
export function accessStanding(
  { evidence }: Facts,
  { issues }: SessionStory,
  { step, exchange }: Row,
  { start, end = Number.MAX_SAFE_INTEGER, startTime, endTime = startTime }: Exchange,
): Standing {
  const issuer = evidence.exchanges[exchange ?? -1];
  const stepUps = issues.filter((row) => row.action === 'authentication.stepped_up' && row.step > step);
  const isExpired = issuer?.endTime !== undefined && startTime >= issuer.endTime + ACCESS_MS;
  const mayBeExpired = issuer === undefined || endTime >= issuer.startTime + ACCESS_MS - SECOND_MS;
  return {
    isOver: isExpired || stepUps.some((row) => row.step <= start),
    mayBeOver: mayBeExpired || stepUps.some((row) => row.step <= end),
  };
}

/** A refresh token is over once the session got the next one. */
export function refreshStanding(
  { issues }: SessionStory,
  { step }: Row,
  { start, end = Number.MAX_SAFE_INTEGER }: Exchange,
): Standing {
  const next = issues.find((row) => row.step > step)?.step ?? Number.POSITIVE_INFINITY;
  return { isOver: next <= start, mayBeOver: next <= end };
}

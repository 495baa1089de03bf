import type { UserPrincipal } from '../access/principal.ts';
import { ALL_NAMESPACES } from '../access/role.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { type Membership, membershipKind } from '../members/membership.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { type AccessClaims, type AccessTokenParts, checkAccessToken } from './access-token.ts';
import type { Authenticated } from './authenticate.ts';
import type { SessionMarks } from './bookkeeping.ts';
import { endedLoginKind, IDLE_MS, type Session, STEP_UP_MS, sessionKind } from './session.ts';
import { type User, userKind } from './user.ts';

export type SessionParts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly bookkeeping: SessionMarks;
} & AccessTokenParts;

/**
 * Who holds an access token: the token names a session, and everything that could have ended that session since is read
 * now, consistently and at once: the session, the person, the membership, the workspace, and when it was last used.
 */
export async function authenticateSession(
  parts: SessionParts,
  token: string,
): Promise<Authenticated<UserPrincipal>> {
  const checked = await checkAccessToken(parts, token);
  if (checked.status === 'invalid') return { refusal: 'token_invalid' };
  const { claims } = checked;
  const subject = { workspaceId: claims.workspaceId, type: 'user', id: claims.userId } as const;
  if (checked.status === 'expired') return { refusal: 'token_expired', subject };
  const now = parts.clock.now();
  const [state, isActive] = await Promise.all([
    readSessionState(parts.store, claims),
    isInUse(parts, claims.sessionId, now),
  ]);
  const refusal =
    sessionRefusal(state, claims, now) ??
    (isFrom(state.session, claims) ? undefined : 'token_superseded') ??
    (isActive ? undefined : 'session_idle');
  const principal = principalIn(state, now);
  if (refusal === undefined && principal !== undefined) return { principal };
  return { refusal: refusal ?? 'session_unknown', subject };
}

/** Whether a token is of its session as that is now. */
function isFrom(session: Session | undefined, { generation, client }: AccessClaims): boolean {
  return session?.generation === generation && session.client === client;
}

/** The person in a session that stands. */
export function principalIn(
  { session, user, membership, workspace }: SessionState,
  now: number,
): UserPrincipal | undefined {
  if (session === undefined || user === undefined || membership === undefined || workspace === undefined)
    return undefined;
  const owes = debtOf(session, user, workspace);
  return {
    type: 'user',
    id: session.userId,
    workspaceId: session.workspaceId,
    role: membership.role,
    namespaces: [ALL_NAMESPACES],
    sessionId: session.id,
    steppedUp: isSteppedUp(session, now),
    ...(owes === undefined ? {} : { owes }),
  };
}

/** All that decides whether a session stands. */
export interface SessionState {
  readonly session: Session | undefined;
  readonly user: User | undefined;
  readonly membership: Membership | undefined;
  readonly workspace: Workspace | undefined;
  /** Whether its login, or its family, was ended as a whole. */
  readonly isLoginEnded: boolean;
}

export async function readSessionState(
  store: Store,
  { sessionId, userId, workspaceId, loginId, familyId }: Omit<AccessClaims, 'generation' | 'client'>,
): Promise<SessionState> {
  const [session, user, membership, workspace, ended] = await Promise.all([
    store.find(sessionKind, sessionId),
    store.get(userKind, PLATFORM_WORKSPACE, userId),
    store.get(membershipKind, workspaceId, userId),
    store.get(workspaceKind, workspaceId, workspaceId),
    store.getMany(endedLoginKind, PLATFORM_WORKSPACE, [...new Set([loginId, familyId])]),
  ]);
  return { session, user, membership, workspace, isLoginEnded: ended.length > 0 };
}

/** Why a session does not stand, apart from being idle; `undefined` when it does. */
export function sessionRefusal(
  { session, user, membership, workspace, isLoginEnded }: SessionState,
  claims: Pick<AccessClaims, 'userId' | 'workspaceId'>,
  now: number,
): string | undefined {
  if (session === undefined || user === undefined) return 'session_unknown';
  if (session.userId !== claims.userId || session.workspaceId !== claims.workspaceId)
    return 'session_unknown';
  if (session.endedAt !== undefined || session.epoch !== user.epoch || isLoginEnded) return 'session_ended';
  if (session.expiresAt <= now) return 'session_expired';
  if (workspace === undefined || workspace.deletedAt !== undefined) return 'workspace_deleted';
  if (membership === undefined || membership.sessionGroup !== session.sessionGroup) return 'not_a_member';
  return undefined;
}

/** Whether a session was used within the last half hour. */
export async function isInUse(
  { bookkeeping }: { readonly bookkeeping: SessionMarks },
  sessionId: string,
  now: number,
): Promise<boolean> {
  const seen = (await bookkeeping.sessionsSeen([sessionId])).get(sessionId);
  return seen !== undefined && seen > now - IDLE_MS;
}

/** Notes that a session is used now. Only for requests that are let in: a refused one prolongs nothing. */
export async function noteUse(
  { bookkeeping, clock }: { readonly bookkeeping: SessionMarks; readonly clock: Clock },
  sessionId: string,
): Promise<void> {
  const now = clock.now();
  await bookkeeping.touchSession(sessionId, now, now - IDLE_MS);
}

/** When the proof of identity within a session ends, in epoch milliseconds, if there is one. */
export function stepUpEnd({ steppedUpAt }: Session): number | undefined {
  return steppedUpAt === undefined ? undefined : Date.parse(steppedUpAt) + STEP_UP_MS;
}

function isSteppedUp(session: Session, now: number): boolean {
  const end = stepUpEnd(session);
  // A time to come is another server's clock, or nobody's: not further ahead than the proof is good for.
  return end !== undefined && now < end && now >= end - 2 * STEP_UP_MS;
}

/** What somebody has to settle before they can work in this workspace. */
export function debtOf(session: Session, user: User, { policy }: Workspace): UserPrincipal['owes'] {
  const isWeak = !user.passwordProfiles.includes(policy.passwordProfile);
  if (session.mustChangePassword || isWeak) return 'password_change';
  const demandsMfa = policy.requireMfa || session.demandsMfa;
  return demandsMfa && !session.mfa ? 'mfa_enrollment' : undefined;
}

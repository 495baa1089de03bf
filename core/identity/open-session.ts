import type { AuditEvent } from '../audit/event.ts';
import { MAX_USER_AGENT_CODE_POINTS } from '../audit/row.ts';
import { type Change, create } from '../kernel/entity.ts';
import { newId } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { issueAccessToken } from './access-token.ts';
import type { Caller } from './caller.ts';
import { csrfToken } from './csrf.ts';
import { describeSession, type SessionDescription } from './describe-session.ts';
import type { IdentityParts } from './identity-parts.ts';
import { newOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { demandsMfa, type Place, personOrigin } from './person.ts';
import { ABSOLUTE_MS, refreshTokenKind, type Session, sessionKind } from './session.ts';
import type { User } from './user.ts';

/** A session, and what its client needs to use it: shown once. */
export interface OpenedSession {
  readonly session: Session;
  /** Made before the session was changed: telling of it cannot fail any more. */
  readonly description: SessionDescription;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly csrfToken: string;
}

export interface NewSession {
  readonly user: User;
  readonly place: Place;
  /** All places of the person. */
  readonly places: readonly Place[];
  readonly client: string;
  readonly mfa: boolean;
  readonly mustChangePassword: boolean;
  /** The session that this one comes from: nothing prolongs a login. */
  readonly from?: Pick<Session, 'loginId' | 'loginAt' | 'expiresAt'>;
  /** The family that it goes on; a new one, unless said. */
  readonly familyId?: string;
  /** What has to be done once everything is ready, right before the session is opened. */
  readonly beforeCommit?: () => Promise<void>;
  readonly event: Pick<AuditEvent, 'action' | 'detail'>;
  /** What belongs to the same step: a challenge that is used up, a code that is redeemed. */
  readonly changes?: (session: Session) => readonly Change[];
}

type Parts = Pick<
  IdentityParts,
  'trail' | 'clock' | 'random' | 'bookkeeping' | 'derivedKeys' | 'signer' | 'publicUrl'
>;

/**
 * Opens a session for a person who has proven who they are. The token is signed and the first use noted before the
 * session exists, so that a failure on the way leaves nothing that works.
 *
 * @throws RefusedChanges when one of `changes` came too late.
 */
export async function openSession(
  parts: Parts,
  { user, place, places, event, changes, ...opening }: NewSession,
  caller: Caller,
): Promise<OpenedSession> {
  const { trail, clock, random, bookkeeping } = parts;
  const now = clock.now();
  const { workspaceId, sessionGroup } = place.membership;
  const refreshToken = newOpaqueToken('refreshToken', random);
  const refreshTokenId = opaqueTokenId('refreshToken', refreshToken);
  const expiresAt = Math.min(now + ABSOLUTE_MS, opening.from?.expiresAt ?? Number.POSITIVE_INFINITY);
  const id = newId('ses', random);
  const session = create(sessionKind, {
    workspaceId,
    id,
    loginId: opening.from?.loginId ?? id,
    familyId: opening.familyId ?? id,
    loginAt: opening.from?.loginAt ?? timestamp(now),
    userId: user.id,
    epoch: user.epoch,
    client: opening.client,
    sessionGroup,
    generation: 1,
    refreshTokenId,
    createdAt: timestamp(now),
    mfa: opening.mfa,
    demandsMfa: demandsMfa(places),
    mustChangePassword: opening.mustChangePassword,
    expiresAt,
    ip: caller.ip,
    userAgent: [...caller.userAgent.toWellFormed()].slice(0, MAX_USER_AGENT_CODE_POINTS).join(''),
  });
  const token = create(refreshTokenKind, {
    workspaceId,
    id: refreshTokenId,
    sessionId: id,
    userId: user.id,
    loginId: session.entity.loginId,
    familyId: session.entity.familyId,
    expiresAt,
  });
  const [accessToken, csrf] = await Promise.all([
    issueAccessToken(parts, session.entity),
    csrfToken(parts.derivedKeys, id),
    bookkeeping.startSession(id, now, expiresAt),
  ]);
  const description = describeSession(session.entity, { user, places, lastSeen: now }, now);
  await opening.beforeCommit?.();
  await trail.commit(personOrigin(workspaceId, user.id, caller), [
    {
      ...event,
      entity: { type: 'session', id },
      result: 'success',
      changes: [session, token, ...(changes?.(session.entity) ?? [])],
    },
  ]);
  return { session: session.entity, description, accessToken, refreshToken, csrfToken: csrf };
}

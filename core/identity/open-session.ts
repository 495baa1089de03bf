import type { AuditEvent } from '../audit/event.ts';
import { MAX_USER_AGENT_CODE_POINTS } from '../audit/row.ts';
import { type Change, create } from '../kernel/entity.ts';
import { newId } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { issueAccessToken } from './access-token.ts';
import type { Caller } from './caller.ts';
import { csrfToken } from './csrf.ts';
import type { IdentityParts } from './identity-parts.ts';
import { newOpaqueToken, opaqueTokenId } from './opaque-token.ts';
import { type Place, personOrigin } from './person.ts';
import { ABSOLUTE_MS, refreshTokenKind, type Session, sessionKind } from './session.ts';
import type { User } from './user.ts';

/** A session, and what its client needs to use it: shown once. */
export interface OpenedSession {
  readonly session: Session;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly csrfToken: string;
}

export interface NewSession {
  readonly user: User;
  readonly place: Place;
  /** Whether any of the person's workspaces demands a second factor. */
  readonly demandsMfa: boolean;
  readonly client: string;
  readonly mfa: boolean;
  readonly mustChangePassword: boolean;
  /** The session that this one goes on from: nothing prolongs a login, or makes two of it. */
  readonly from?: Pick<Session, 'loginId' | 'expiresAt'>;
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
  { user, place, event, changes, ...opening }: NewSession,
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
    userId: user.id,
    epoch: user.epoch,
    client: opening.client,
    sessionGroup,
    generation: 1,
    refreshTokenId,
    createdAt: timestamp(now),
    mfa: opening.mfa,
    demandsMfa: opening.demandsMfa,
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
    expiresAt,
  });
  const [accessToken, csrf] = await Promise.all([
    issueAccessToken(parts, session.entity),
    csrfToken(parts.derivedKeys, id),
    bookkeeping.startSession(id, now, expiresAt),
  ]);
  await trail.commit(personOrigin(workspaceId, user.id, caller), [
    {
      ...event,
      entity: { type: 'session', id },
      result: 'success',
      changes: [session, token, ...(changes?.(session.entity) ?? [])],
    },
  ]);
  return { session: session.entity, accessToken, refreshToken, csrfToken: csrf };
}

import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { DAY_MS } from '../kernel/timestamps.ts';

const MINUTE_MS = 60 * 1000;

/** A session ends when nothing was asked in it for this long, */
export const IDLE_MS = 30 * MINUTE_MS;
/** a client should warn of that when so much of it has passed, */
export const WARN_MS = 25 * MINUTE_MS;
/** and whatever happens it ends after this time. */
export const ABSOLUTE_MS = 30 * DAY_MS;
/** How long a proof of identity within a session (step-up) is good for. */
export const STEP_UP_MS = 5 * MINUTE_MS;

/** The client of sessions that live in a browser's cookies. Others are OAuth clients, by their id. */
export const BROWSER = 'browser';

/** One login of one person, in one workspace, until it ends. Read on every request. */
const sessionSchema = z.strictObject({
  kind: z.literal('session'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  userId: z.string(),
  /** The person's epoch when it was opened; it is over once theirs has moved on. */
  epoch: z.int().min(1),
  client: z.string(),
  /**
   * The session that the login opened: this one, or the one that this one comes from. Guesses are counted by it, and
   * what ends the login ends all that came of it.
   */
  loginId: z.string(),
  /** Sessions that follow one another, when their person goes from workspace to workspace, are one family. */
  familyId: z.string(),
  /** When the login was. */
  loginAt: z.string(),
  /** The person's {@link file://../members/membership.ts} has the same one; it changes when an admin ends all of them. */
  sessionGroup: z.string(),
  /** Rises with each step-up: access tokens issued before it are dead. */
  generation: z.int().min(1),
  /** The one refresh token that is good. */
  refreshTokenId: z.string(),
  createdAt: z.string(),
  /** Whether a second factor was shown. */
  mfa: z.boolean(),
  /** Whether any workspace of the person demands a second factor, as of the last login or refresh. */
  demandsMfa: z.boolean(),
  /** The password no longer satisfies the policies: nothing but changing it is possible. */
  mustChangePassword: z.boolean(),
  /** When identity was last proven within the session. */
  steppedUpAt: z.string().optional(),
  /** Epoch milliseconds: created plus {@link ABSOLUTE_MS}, at most. */
  expiresAt: z.int(),
  endedAt: z.string().optional(),
  ip: z.string(),
  /** At most 256 characters. */
  userAgent: z.string(),
});

export type Session = z.infer<typeof sessionSchema>;

export const sessionKind: Kind<Session> = {
  name: 'session',
  schema: sessionSchema,
  listing: (session) => ({
    list: session.endedAt === undefined ? sessionList(session.userId) : endedSessionList(session.userId),
    key: `${session.createdAt}#${session.id}`,
  }),
  expiry: (session) => session.expiresAt,
};

/** A person's sessions, in all workspaces. */
export function sessionList(userId: string): string {
  return `user#${userId}#sessions`;
}

/** Those of a person that are over, for as long as they are kept. */
export function endedSessionList(userId: string): string {
  return `user#${userId}#endedSessions`;
}

/** A refresh token that was handed out. Kept after its use, so that a second use is recognized. */
const refreshTokenSchema = z.strictObject({
  kind: z.literal('refreshToken'),
  workspaceId: z.string(),
  /** Derived from the token. */
  id: z.string(),
  revision: z.int().min(1),
  sessionId: z.string(),
  userId: z.string(),
  loginId: z.string(),
  familyId: z.string(),
  /** Epoch milliseconds. */
  usedAt: z.int().optional(),
  /** Epoch milliseconds: the session's. */
  expiresAt: z.int(),
});

export type RefreshToken = z.infer<typeof refreshTokenSchema>;

export const refreshTokenKind: Kind<RefreshToken> = {
  name: 'refreshToken',
  schema: refreshTokenSchema,
  expiry: (token) => token.expiresAt,
};

/**
 * That a login or a family of sessions is over, because one of its tokens came a second time: somebody has a copy. Its id
 * is theirs; it is looked for on every request.
 */
const endedLoginSchema = z.strictObject({
  kind: z.literal('endedLogin'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** Epoch milliseconds: by then all its sessions are over anyway. */
  expiresAt: z.int(),
});

export type EndedLogin = z.infer<typeof endedLoginSchema>;

export const endedLoginKind: Kind<EndedLogin> = {
  name: 'endedLogin',
  schema: endedLoginSchema,
  expiry: (login) => login.expiresAt,
};

/** A used refresh token that comes again this soon merely fails: two tabs, or an answer that was lost. */
export const REUSE_GRACE_MS = 10 * 1000;

import * as z from 'zod';
import { ROLES } from '../../../core/access/role.ts';
import { ACCESS_TOKEN_SECONDS } from '../../../core/identity/access-token.ts';
import type { SessionDescription } from '../../../core/identity/describe-session.ts';
import { newDeviceToken } from '../../../core/identity/known-device.ts';
import type { OpenedSession } from '../../../core/identity/open-session.ts';
import { BROWSER } from '../../../core/identity/session.ts';
import { emailId, type User } from '../../../core/identity/user.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { deviceCookie, readCookie, sessionCookies } from '../http/cookies.ts';
import type { HttpRequest } from '../http/request.ts';
import type { ApiResponse } from '../http/route.ts';
import { SYSTEM_NOTICE } from '../system-notice.ts';

const placeView = z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES) });

/** A session as its own client sees it. */
export const sessionView = z.object({
  user: z.object({ id: z.string(), email: z.string() }),
  workspace: placeView,
  workspaces: z.array(placeView),
  session: z.object({
    id: z.string(),
    client: z.string(),
    createdAt: z.string(),
    mfa: z.boolean(),
    warnAt: z.string(),
    idleExpiresAt: z.string(),
    expiresAt: z.string(),
    stepUpExpiresAt: z.string().optional(),
  }),
  owes: z.enum(['mfa_enrollment', 'password_change']).optional(),
  csrfToken: z.string(),
  notice: z.string(),
});

export function viewSession(description: SessionDescription, csrfToken: string): z.infer<typeof sessionView> {
  const { user, session, place, places, steppedUpUntil, owes } = description;
  return {
    user: { id: user.id, email: user.email },
    workspace: viewPlace(place),
    workspaces: places.map(viewPlace),
    session: {
      id: session.id,
      client: session.client,
      createdAt: session.createdAt,
      mfa: session.mfa,
      warnAt: timestamp(description.warnAt),
      idleExpiresAt: timestamp(description.endsAt),
      expiresAt: timestamp(session.expiresAt),
      ...(steppedUpUntil === undefined ? {} : { stepUpExpiresAt: timestamp(steppedUpUntil) }),
    },
    ...(owes === undefined ? {} : { owes }),
    csrfToken,
    notice: SYSTEM_NOTICE,
  };
}

function viewPlace({ workspace, membership }: SessionDescription['place']): z.infer<typeof placeView> {
  return { id: workspace.id, name: workspace.name, role: membership.role };
}

/** Access and refresh token for clients that keep them themselves; browsers get cookies instead. */
export const tokensView = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresIn: z.int(),
});

/**
 * What a client gets with new tokens: a browser as cookies, which no script can read, other clients in the answer.
 *
 * @param knows the request of a browser that is to be known as this account's from now on.
 */
export async function sessionResponse(
  vault: Vault,
  { description, session, accessToken, refreshToken, csrfToken }: OpenedSession,
  { knows }: { readonly knows?: HttpRequest } = {},
): Promise<ApiResponse> {
  const json = viewSession(description, csrfToken);
  if (session.client !== BROWSER) {
    const tokens: z.infer<typeof tokensView> = { accessToken, refreshToken, expiresIn: ACCESS_TOKEN_SECONDS };
    return { status: 200, json: { ...json, tokens } };
  }
  const refreshSeconds = (session.expiresAt - vault.clock.now()) / 1000;
  const cookies = sessionCookies({ accessToken, refreshToken, refreshSeconds });
  if (knows !== undefined) cookies.push(await knownDeviceCookie(vault, description.user, knows));
  return { status: 200, json, cookies };
}

/** Has a browser known as one where this person has logged in, as of their epoch. */
export async function knownDeviceCookie(
  vault: Vault,
  { email, epoch }: Pick<User, 'email' | 'epoch'>,
  request: HttpRequest,
): Promise<string> {
  const account = { id: emailId(email), epoch };
  return deviceCookie(await newDeviceToken(vault, account, readCookie(request, 'device'), vault.clock.now()));
}

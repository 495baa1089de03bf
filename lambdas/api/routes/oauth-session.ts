import type { RequestContext } from '../../../core/access/principal.ts';
import { originOf } from '../../../core/access/principal.ts';
import type { Action } from '../../../core/audit/event.ts';
import { authenticate, type Credentials } from '../../../core/identity/authenticate.ts';
import { callerOf } from '../../../core/identity/caller.ts';
import { isCsrfToken } from '../../../core/identity/csrf.ts';
import type { SessionDescription } from '../../../core/identity/describe-session.ts';
import { readSession } from '../../../core/identity/read-session.ts';
import { recordFailedAuthentication } from '../../../core/identity/record-failed-authentication.ts';
import { csrfRefused, refreshSession } from '../../../core/identity/refresh-session.ts';
import { BROWSER } from '../../../core/identity/session.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { readCookie } from '../http/cookies.ts';
import { toVaultError } from '../http/problem.ts';
import type { HttpRequest } from '../http/request.ts';
import { sessionResponse } from './session-views.ts';

/** The session whose cookies came along; only looked at, so that the refresh cookie alone will do. */
export async function lookAtSession(
  vault: Vault,
  request: HttpRequest,
): Promise<SessionDescription | undefined> {
  const accessToken = readCookie(request, 'access');
  const refreshToken = readCookie(request, 'refresh');
  const found = await unlessOver(async () => {
    if (accessToken !== undefined) return identify(vault, { type: 'cookie', accessToken }, request);
    if (refreshToken !== undefined) return identify(vault, { type: 'refresh_cookie', refreshToken }, request);
    return undefined;
  });
  if (found === undefined) return undefined;
  return unlessOver(() => recorded(vault, found, 'session.read', () => readSession(vault, found)));
}

interface ProvenSession {
  readonly context: RequestContext;
  /** The session's new cookies, if it had to be refreshed. */
  readonly cookies?: readonly string[];
}

/**
 * The session whose cookies and CSRF token came along. Somebody who took longer to decide than an access token lasts has
 * only the refresh cookie left: it is exchanged here, as `POST /auth/refresh` would.
 */
export async function proveSession(
  vault: Vault,
  request: HttpRequest,
  csrf: string | undefined,
): Promise<ProvenSession | undefined> {
  const accessToken = readCookie(request, 'access');
  const refreshToken = readCookie(request, 'refresh');
  return unlessOver(async () => {
    if (accessToken !== undefined) {
      const context = await identify(vault, { type: 'cookie', accessToken }, request);
      await demandCsrfToken(vault, context, csrf);
      return { context };
    }
    if (refreshToken === undefined) return undefined;
    const refresh = { refreshToken, client: BROWSER, csrf: { token: csrf } };
    const { opened } = await refreshSession(vault, refresh, request);
    const { cookies = [] } = await sessionResponse(vault, opened);
    const context = await identify(vault, { type: 'cookie', accessToken: opened.accessToken }, request);
    return { context, cookies };
  });
}

async function identify(
  vault: Vault,
  credentials: Credentials,
  request: HttpRequest,
): Promise<RequestContext> {
  const caller = callerOf(request);
  return { principal: await authenticate(vault, credentials, caller), ...caller };
}

async function demandCsrfToken(
  vault: Vault,
  context: RequestContext,
  token: string | undefined,
): Promise<void> {
  const { principal } = context;
  if (principal.type === 'user' && (await isCsrfToken(vault.derivedKeys, principal.sessionId, token))) return;
  const { workspaceId, type, id } = principal;
  await recordFailedAuthentication(vault, {
    subject: { workspaceId, type, id },
    reason: 'csrf',
    ...callerOf(context),
  });
  throw csrfRefused();
}

/** Nothing, where a session turns out to be over: then the login is shown. */
async function unlessOver<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof VaultError && error.code === 'unauthenticated') return undefined;
    throw error;
  }
}

/** Every authenticated request leaves a row: what its use case could not do is recorded here. */
export async function recorded<T>(
  vault: Vault,
  context: RequestContext,
  action: Action,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { code } = toVaultError(thrown);
    // If the trail could not be written a moment ago, trying once more would only keep the person waiting.
    if (code !== 'unavailable') {
      const entity = { type: 'workspace', id: context.principal.workspaceId };
      const result = code === 'invalid_request' || code === 'internal' ? 'failure' : 'denied';
      await vault.trail.commit(originOf(context), [{ action, entity, result, detail: { code } }]);
    }
    throw thrown;
  }
}

import type { Principal, RequestContext } from '../../core/access/principal.ts';
import { originOf } from '../../core/access/principal.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import { authenticate } from '../../core/identity/authenticate.ts';
import { noteUse } from '../../core/identity/authenticate-session.ts';
import { callerOf } from '../../core/identity/caller.ts';
import { isCsrfToken } from '../../core/identity/csrf.ts';
import { PLAN_LIMIT, recordFailedAuthentication } from '../../core/identity/record-failed-authentication.ts';
import { csrfRefused } from '../../core/identity/refresh-session.ts';
import type { VaultError } from '../../core/kernel/errors.ts';
import type { Vault } from '../shared/compose-vault.ts';
import { logger } from '../shared/logger.ts';
import { logFault } from './http/answer-errors.ts';
import { isMutation, readCredentials, refuseOtherOrigins } from './http/credentials.ts';
import { toVaultError } from './http/problem.ts';
import { readContext, readInput } from './http/read-input.ts';
import type { HttpRequest } from './http/request.ts';
import type { ApiResponse, GuardedRoute, PublicRoute, Route } from './http/route.ts';
import { findRoute, type RouteMatch } from './http/router.ts';

/** Serves one request: finds its route, finds out who calls, checks the input, and lets the use case work. */
export async function serve(
  vault: Vault,
  routes: readonly Route[],
  request: HttpRequest,
): Promise<ApiResponse> {
  const found = findRoute(routes, request.method, request.path);
  const { route } = found;
  try {
    if (route.permission === 'public') return await servePublic(vault, { ...found, route }, request);
    const principal = await identify(vault, route, request);
    if (isMetered(route)) await demandRequest(vault, request, principal);
    const [response] = await Promise.all([
      serveGuarded(vault, { ...found, route }, request, principal),
      markUsed(vault, route, principal),
      isMetered(route) ? keepCount(vault, principal) : undefined,
    ]);
    return response;
  } catch (thrown) {
    if (route.answerError === undefined) throw thrown;
    const error = toVaultError(thrown);
    logFault(error, request.id);
    return route.answerError(error);
  }
}

/** Requests of nobody in particular. Whoever asks for too much is recorded. */
async function servePublic(
  vault: Vault,
  found: RouteMatch & { readonly route: PublicRoute },
  request: HttpRequest,
): Promise<ApiResponse> {
  try {
    if (found.route.sameOrigin) refuseOtherOrigins(request, vault.publicUrl);
  } catch (error) {
    await recordRefusal(vault, request, 'csrf');
    throw error;
  }
  try {
    return await found.route.handle(readInput(request, found), request, vault);
  } catch (error) {
    if (toVaultError(error).code === 'rate_limited') await recordRefusal(vault, request, 'rate_limited');
    throw error;
  }
}

/**
 * Who calls. A browser sends its cookies with whatever any page makes it send, so a mutation by cookie has to come from
 * the vault's own origin and to carry the token of its session.
 */
async function identify(vault: Vault, route: GuardedRoute, request: HttpRequest): Promise<Principal> {
  const credentials = readCredentials(request, route);
  const principal = await authenticate(vault, credentials, request);
  const isByCookie = credentials.type === 'cookie' || credentials.type === 'refresh_cookie';
  if (!isByCookie || principal.type !== 'user' || !isMutation(request)) return principal;
  try {
    refuseOtherOrigins(request, vault.publicUrl);
    if (!(await isCsrfToken(vault.derivedKeys, principal.sessionId, request.header('x-csrf-token'))))
      throw csrfRefused();
    return principal;
  } catch (error) {
    await recordRefusal(vault, request, 'csrf', principal);
    throw error;
  }
}

/**
 * What a month's limit stops: the use of secrets, and further keys to them. Whoever has to find out why, and to end a key
 * that runs away, comes through.
 */
function isMetered({ action }: GuardedRoute): boolean {
  return action.startsWith('secret.') || action.startsWith('namespace.') || action === 'api_key.created';
}

/**
 * Refusals over the limit are folded like those of strangers: a row in the strangers' lane, and one more a minute for all
 * repeats. A client that goes on does not fill the trail, nor does it use up what the next plan allows.
 */
async function demandRequest(vault: Vault, request: HttpRequest, principal: Principal): Promise<void> {
  try {
    await vault.requestLimit.demand(principal.workspaceId);
  } catch (error) {
    await recordRefusal(vault, request, PLAN_LIMIT, principal);
    throw error;
  }
}

function recordRefusal(
  vault: Vault,
  request: HttpRequest,
  reason: string,
  principal?: Principal,
): Promise<void> {
  const subject = principal && {
    workspaceId: principal.workspaceId,
    type: principal.type,
    id: principal.id,
  };
  return recordFailedAuthentication(vault, { subject, reason, ...callerOf(request) });
}

/**
 * Every authenticated request leaves a row, whatever becomes of it. The use case records what it does; if the request
 * ends in an error that no row tells of yet, it is recorded here. A use case that recorded nothing is a defect, and its
 * answer is withheld.
 */
async function serveGuarded(
  vault: Vault,
  found: RouteMatch & { readonly route: GuardedRoute },
  request: HttpRequest,
  principal: Principal,
): Promise<ApiResponse> {
  const { route } = found;
  const recorder = recording(vault.trail);
  const caller: RequestContext = { principal, ...callerOf(request) };
  try {
    const context = readContext(request, principal);
    const input = readInput(request, found);
    const response = await route.handle(input, context, { ...vault, trail: recorder.trail }, request);
    if (recorder.last() === undefined)
      throw new Error(`${route.method} ${route.path} was served without a record.`);
    return response;
  } catch (thrown) {
    const error = toVaultError(thrown);
    const told = recorder.last()?.result;
    // If the trail could not be written a moment ago, trying once more would only keep the caller waiting.
    const trailIsDown = recorder.failed() && error.code === 'unavailable';
    if (!trailIsDown && (told === undefined || told === 'success')) {
      await vault.trail.commit(originOf(caller), [failure(route, found, principal, error)]);
    }
    throw error;
  }
}

/** Refusals that say: not you. */
const DENIALS: ReadonlySet<string> = new Set([
  'forbidden',
  'step_up_required',
  'mfa_enrollment_required',
  'password_change_required',
]);

function failure(
  route: GuardedRoute,
  { params }: RouteMatch,
  principal: Principal,
  { code, keyArn }: VaultError,
): AuditEvent {
  const { namespace } = params;
  const id = params['id'] ?? params['name'] ?? namespace ?? params['userId'];
  return {
    action: route.action,
    // What the caller named, if it could be the name of anything.
    entity: isName(id)
      ? { type: route.action.slice(0, route.action.indexOf('.')), id }
      : { type: 'workspace', id: principal.workspaceId },
    result: DENIALS.has(code) ? 'denied' : 'failure',
    detail: {
      code,
      route: `${route.method} ${route.path}`,
      ...(keyArn === undefined ? {} : { keyArn }),
      ...(isName(namespace) && namespace !== id ? { namespace } : {}),
    },
  };
}

function isName(text: string | undefined): text is string {
  return text !== undefined && /^\w[\w.-]{0,127}$/.test(text);
}

interface Recorder {
  readonly trail: AuditTrail;
  /** The last event of this request that was recorded. */
  readonly last: () => AuditEvent | undefined;
  /** Whether the trail could not be written. */
  readonly failed: () => boolean;
}

function recording(trail: AuditTrail): Recorder {
  let last: AuditEvent | undefined;
  let failed = false;
  return {
    trail: {
      async commit(origin, events) {
        try {
          const positions = await trail.commit(origin, events);
          last = events.at(-1);
          return positions;
        } catch (error) {
          failed = toVaultError(error).code === 'unavailable';
          throw error;
        }
      },
    },
    last: () => last,
    failed: () => failed,
  };
}

/** An agreement, and no protection: nobody waits for the count, nor fails with it. */
async function keepCount(vault: Vault, { workspaceId }: Principal): Promise<void> {
  try {
    await vault.requestLimit.keepFresh(workspaceId);
  } catch (error) {
    logger.warn('The requests of a workspace were not counted', {
      workspaceId,
      error: toVaultError(error).code,
    });
  }
}

/** Missing a mark of last use harms nobody, so it never fails a request; a session may end early for it. */
async function markUsed(vault: Vault, { passive }: GuardedRoute, principal: Principal): Promise<void> {
  const { type, workspaceId, id } = principal;
  try {
    if (type === 'api_key') await vault.bookkeeping.markKeyUsed(workspaceId, id, vault.clock.now());
    else if (!passive) await noteUse(vault, principal.sessionId);
  } catch (error) {
    const { code } = toVaultError(error);
    if (type === 'api_key')
      logger.warn('The last use of an API key was not noted', { keyId: id, error: code });
    else logger.warn('The use of a session was not noted', { sessionId: principal.sessionId, error: code });
  }
}

import type { Principal, RequestContext } from '../../core/access/principal.ts';
import { originOf } from '../../core/access/principal.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import { authenticate } from '../../core/identity/authenticate.ts';
import type { VaultError } from '../../core/kernel/errors.ts';
import type { Vault } from '../shared/compose-vault.ts';
import { logger } from '../shared/logger.ts';
import { toVaultError } from './http/problem.ts';
import { readContext, readInput } from './http/read-input.ts';
import type { HttpRequest } from './http/request.ts';
import type { ApiResponse, GuardedRoute, Route } from './http/route.ts';
import { findRoute, type RouteMatch } from './http/router.ts';

/** Serves one request: finds its route, finds out who calls, checks the input, and lets the use case work. */
export async function serve(
  vault: Vault,
  routes: readonly Route[],
  request: HttpRequest,
): Promise<ApiResponse> {
  const found = findRoute(routes, request.method, request.path);
  const { route } = found;
  if (route.permission === 'public') return route.handle(readInput(request, found), request, vault);
  const principal = await authenticate(vault, request.header('authorization'), request);
  const [response] = await Promise.all([
    serveGuarded(vault, { ...found, route }, request, principal),
    markUsed(vault, principal),
  ]);
  return response;
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
  const caller: RequestContext = { principal, ip: request.ip, userAgent: request.userAgent };
  try {
    const context = readContext(request, principal);
    const response = await route.handle(readInput(request, found), context, {
      ...vault,
      trail: recorder.trail,
    });
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

function failure(
  route: GuardedRoute,
  { params }: RouteMatch,
  principal: Principal,
  { code }: VaultError,
): AuditEvent {
  const id = params['id'] ?? params['name'] ?? params['namespace'];
  return {
    action: route.action,
    // What the caller named, if it could be the name of anything.
    entity:
      id !== undefined && /^\w[\w.-]{0,127}$/.test(id)
        ? { type: route.action.slice(0, route.action.indexOf('.')), id }
        : { type: 'workspace', id: principal.workspaceId },
    result: code === 'forbidden' ? 'denied' : 'failure',
    detail: { code, route: `${route.method} ${route.path}` },
  };
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

/** Missing a mark of last use harms nobody, so it never fails a request. */
async function markUsed({ bookkeeping, clock }: Vault, { workspaceId, id }: Principal): Promise<void> {
  try {
    await bookkeeping.markKeyUsed(workspaceId, id, clock.now());
  } catch (error) {
    logger.warn('The last use of an API key was not noted', { keyId: id, error: toVaultError(error).code });
  }
}

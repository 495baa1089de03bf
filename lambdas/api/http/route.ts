import type * as z from 'zod';
import type { RequestContext } from '../../../core/access/principal.ts';
import type { Permission } from '../../../core/access/role.ts';
import type { Action } from '../../../core/audit/event.ts';
import type { VaultError } from '../../../core/kernel/errors.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import type { HttpRequest } from './request.ts';

export interface ApiResponse {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string };
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; its type goes into `headers`. */
  readonly text?: string;
  /** Sent as they are; their type goes into `headers`. */
  readonly bytes?: Uint8Array;
  /** Whole `Set-Cookie` values. */
  readonly cookies?: readonly string[];
}

/** What a route answers when all goes well, for the API description. */
export interface ResponseDescription {
  readonly status: number;
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly contentType?: string;
}

/** Input that has passed the route's schemas. */
export interface Input<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

interface Described<P, Q, B> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments in braces are parameters: `/secrets/{id}`. */
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** The body is a form (application/x-www-form-urlencoded), and unknown fields are ignored. */
  readonly form?: boolean;
  /** The handler reads query and form itself: what is wrong with them has an answer of its own there. */
  readonly unchecked?: boolean;
  /** For routes whose errors are not problem documents: how this one is answered. */
  readonly answerError?: (error: VaultError) => ApiResponse;
  /** Whether `Idempotency-Key` is honoured. */
  readonly idempotent?: boolean;
  /** Whether `If-Match` and `If-None-Match` are honoured. */
  readonly conditional?: boolean;
  readonly responses: readonly ResponseDescription[];
}

/** A route for callers that have proven who they are. */
export interface GuardedRoute<P = unknown, Q = unknown, B = unknown> extends Described<P, Q, B> {
  /** What it needs; the use case enforces it, with the namespace besides. */
  readonly permission: Permission;
  /** What a request that fails is recorded as. */
  readonly action: Action;
  /** Whether only an `Authorization` header counts here, and no cookie. */
  readonly bearerOnly?: boolean;
  /** Whether the refresh token of the caller's session is enough: for looking at it, and for ending it. */
  readonly takesRefreshCookie?: boolean;
  /** Whether asking leaves the idle time of the caller's session as it is. */
  readonly passive?: boolean;
  readonly handle: (
    input: Input<P, Q, B>,
    context: RequestContext,
    vault: Vault,
    request: HttpRequest,
  ) => Promise<ApiResponse>;
}

/** A route that anybody may call. */
export interface PublicRoute<P = unknown, Q = unknown, B = unknown> extends Described<P, Q, B> {
  readonly permission: 'public';
  /** Whether a page of another origin is refused: for what a browser must not be tricked into. */
  readonly sameOrigin?: boolean;
  readonly handle: (input: Input<P, Q, B>, request: HttpRequest, vault: Vault) => Promise<ApiResponse>;
}

export type Route = GuardedRoute | PublicRoute;

/** Checks a route's handler against its own schemas, then forgets them: the table holds routes of all types. */
export function guarded<P, Q, B>(route: GuardedRoute<P, Q, B>): Route {
  return route as unknown as GuardedRoute;
}

export function open<P, Q, B>(route: PublicRoute<P, Q, B>): Route {
  return route as unknown as PublicRoute;
}

import { type Origin, PRINCIPAL_LANE } from '../audit/event.ts';
import type { Role } from './role.ts';

interface Rights {
  readonly id: string;
  readonly workspaceId: string;
  readonly role: Role;
  /** Names of the namespaces allowed, or `*` for all. */
  readonly namespaces: readonly string[];
}

/** A machine. */
export interface KeyPrincipal extends Rights {
  readonly type: 'api_key';
  /** When its key ends, if it does. */
  readonly expiresAt?: string;
}

/** A person, in one session. */
export interface UserPrincipal extends Rights {
  readonly type: 'user';
  readonly sessionId: string;
  /** Whether identity was proven once more within the last five minutes. */
  readonly steppedUp: boolean;
  /** What has to be done before anything else. */
  readonly owes?: 'mfa_enrollment' | 'password_change';
}

/** Who is calling, once that is proven. The workspace of every query comes from here, never from the request. */
export type Principal = KeyPrincipal | UserPrincipal;

/** One request, as a use case sees it. */
export interface RequestContext {
  readonly principal: Principal;
  /** The client's address as the edge saw it, nothing a header says. */
  readonly ip: string;
  readonly userAgent: string;
  /** As in {@link Origin}. */
  readonly country?: string | undefined;
  /** From the `Idempotency-Key` header. */
  readonly idempotencyKey?: string;
  readonly precondition?: Precondition;
}

/** What `If-Match` or `If-None-Match` demands of the current revision (RFC 9110 section 13.1). */
export interface Precondition {
  readonly ifMatch?: readonly number[] | '*';
  readonly ifNoneMatch?: readonly number[] | '*';
}

export function originOf(context: RequestContext): Origin {
  const { principal, ip, userAgent, country } = context;
  return {
    workspaceId: principal.workspaceId,
    lane: PRINCIPAL_LANE,
    actor: { type: principal.type, id: principal.id },
    ip,
    userAgent,
    country,
  };
}

import { VaultError } from '../kernel/errors.ts';
import type { Principal, UserPrincipal } from './principal.ts';

/** From least to most; each may do all that the ones before it may. */
export const ROLES = ['viewer', 'operator', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Who may do what: the whole table. Viewers read metadata, operators use and write secrets, admins manage members and
 * keys and read the audit trail, owners do everything. What is not listed is not possible for anybody.
 */
const LEAST_ROLE = {
  'session:manage': 'viewer',
  'account:manage': 'viewer',
  'mfa:manage': 'viewer',
  'oauth:authorize': 'viewer',
  'workspace:read': 'viewer',
  'workspace:create': 'owner',
  'workspace:update': 'owner',
  'workspace:delete': 'owner',
  'member:list': 'viewer',
  'member:leave': 'viewer',
  'member:manage': 'admin',
  'namespace:list': 'viewer',
  'namespace:create': 'operator',
  'namespace:delete': 'admin',
  'secret:list': 'viewer',
  'secret:read': 'viewer',
  'secret:export': 'viewer',
  'secret:reveal': 'operator',
  'secret:write': 'operator',
  'secret:delete': 'operator',
  'secret:purge': 'owner',
  'api_key:list': 'admin',
  'api_key:manage': 'admin',
  'webhook:list': 'admin',
  'webhook:manage': 'admin',
  'alert:read': 'admin',
  'alert:manage': 'admin',
  'detection:read': 'admin',
  'detection:manage': 'admin',
  'decoy:manage': 'admin',
  'finding:read': 'admin',
  'finding:manage': 'admin',
  'audit:read': 'admin',
  'audit:export': 'admin',
  'audit:verify': 'admin',
  'plan:read': 'admin',
  'encryption_key:read': 'admin',
  'encryption_key:manage': 'owner',
  'secrets_sync:read': 'admin',
  'secrets_sync:manage': 'owner',
  'evidence_schedule:read': 'admin',
  'evidence_schedule:manage': 'admin',
} as const satisfies Record<string, Role>;

export type Permission = keyof typeof LEAST_ROLE;

/** A person's own affairs: API keys have none, and whoever owes something can settle it with these. */
const PERSONAL: ReadonlySet<Permission> = new Set([
  'session:manage',
  'account:manage',
  'mfa:manage',
  'member:leave',
]);

/**
 * No API key can do these: they make a person a member, speak in a person's name, or put all values under a key, or into
 * an account, that whoever found an API key may own.
 */
const PEOPLE_ONLY: ReadonlySet<Permission> = new Set([
  ...PERSONAL,
  'oauth:authorize',
  'workspace:create',
  'encryption_key:manage',
  'secrets_sync:manage',
]);

/** A person has to prove once more who they are, within the last five minutes. Keys have nothing to prove it with. */
const STEP_UP: ReadonlySet<Permission> = new Set([
  'mfa:manage',
  'member:leave',
  'workspace:create',
  'workspace:update',
  'workspace:delete',
  'member:manage',
  'secret:reveal',
  'secret:export',
  'secret:purge',
  'api_key:manage',
  'webhook:manage',
  'detection:manage',
  'decoy:manage',
  'audit:export',
  'encryption_key:manage',
  'secrets_sync:manage',
  'evidence_schedule:manage',
]);

/** These look at the workspace as a whole, so a principal that is limited to some namespaces has none of them. */
const WORKSPACE_WIDE: ReadonlySet<Permission> = new Set([
  'workspace:update',
  'workspace:delete',
  'member:list',
  'member:manage',
  'audit:read',
  'audit:export',
  'audit:verify',
  'api_key:list',
  'webhook:list',
  'webhook:manage',
  'alert:read',
  'alert:manage',
  'detection:read',
  'detection:manage',
  'decoy:manage',
  'finding:read',
  'finding:manage',
  'plan:read',
  'encryption_key:read',
  'encryption_key:manage',
  'secrets_sync:read',
  'secrets_sync:manage',
  'evidence_schedule:read',
  'evidence_schedule:manage',
]);

export function leastRole(permission: Permission): Role {
  return LEAST_ROLE[permission];
}

export function isAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/**
 * Lets the principal pass or throws.
 *
 * @param namespace the namespace concerned, where there is one.
 * @throws VaultError `forbidden`
 */
export function authorize(principal: Principal, permission: Permission, namespace?: string): void {
  const least = LEAST_ROLE[permission];
  if (!isAtLeast(principal.role, least)) {
    throw forbidden(`This needs the role ${least} or a higher one; the caller is ${principal.role}.`);
  }
  if (WORKSPACE_WIDE.has(permission) && !seesAllNamespaces(principal)) {
    throw forbidden('This concerns the whole workspace, and the caller is limited to some namespaces.');
  }
  if (namespace !== undefined && !maySee(principal, namespace)) {
    throw forbidden('The caller is not allowed in this namespace.');
  }
  if (principal.type === 'api_key') {
    if (PEOPLE_ONLY.has(permission))
      throw forbidden('This is for people who are logged in, not for API keys.');
    return;
  }
  demandDebts(principal, permission);
  if (STEP_UP.has(permission) && !principal.steppedUp) {
    throw new VaultError(
      'step_up_required',
      'Prove once more who you are with POST /auth/step-up, then repeat this within five minutes.',
    );
  }
}

/** What a person owes comes first: a workspace that wants a second factor grandfathers nobody. */
function demandDebts({ owes }: UserPrincipal, permission: Permission): void {
  if (owes === undefined || PERSONAL.has(permission)) return;
  if (owes === 'mfa_enrollment') {
    throw new VaultError(
      'mfa_enrollment_required',
      'A workspace of yours demands a second factor. Set one up with POST /auth/step-up and POST /auth/mfa/totp first.',
    );
  }
  throw new VaultError(
    'password_change_required',
    'Your password does not satisfy the policy any more. Change it with POST /auth/password first.',
  );
}

/** Whether a person has to prove once more who they are for this. */
export function needsStepUp(permission: Permission): boolean {
  return STEP_UP.has(permission);
}

export function isForPeopleOnly(permission: Permission): boolean {
  return PEOPLE_ONLY.has(permission);
}

/**
 * Nobody gives or takes a role above their own.
 *
 * @throws VaultError `forbidden`
 */
export function authorizeRole(principal: Principal, role: Role): void {
  if (!isAtLeast(principal.role, role)) {
    throw forbidden(`The caller is ${principal.role} and cannot manage members with the role ${role}.`);
  }
}

/** The rights of an API key, made or to be made. */
export interface KeyRights {
  readonly role: Role;
  readonly namespaces: readonly string[];
  readonly expiresAt?: string | undefined;
}

/**
 * Nobody manages a key with more rights than their own: role and namespaces.
 *
 * @throws VaultError `forbidden`
 */
export function authorizeGrant(principal: Principal, { role, namespaces }: KeyRights): void {
  if (!isAtLeast(principal.role, role)) {
    throw forbidden(`The caller is ${principal.role} and cannot manage a key with the role ${role}.`);
  }
  const covered =
    seesAllNamespaces(principal) || namespaces.every((name) => principal.namespaces.includes(name));
  if (!covered)
    throw forbidden('The caller cannot manage a key for namespaces that it is not allowed in itself.');
}

/**
 * Nobody makes a key that outlives their own: a stolen key must not get itself an heir.
 *
 * @throws VaultError `forbidden`
 */
export function authorizeLifetime(principal: Principal, { expiresAt }: KeyRights): void {
  if (principal.type !== 'api_key' || principal.expiresAt === undefined) return;
  if (expiresAt === undefined || Date.parse(expiresAt) > Date.parse(principal.expiresAt)) {
    throw forbidden(
      `The caller's own key ends at ${principal.expiresAt}, so the new one must have an "expiresAt" until then.`,
    );
  }
}

export const ALL_NAMESPACES = '*';

export function seesAllNamespaces(principal: Principal): boolean {
  return principal.namespaces.includes(ALL_NAMESPACES);
}

export function maySee(principal: Principal, namespace: string): boolean {
  return seesAllNamespaces(principal) || principal.namespaces.includes(namespace);
}

function forbidden(detail: string): VaultError {
  return new VaultError('forbidden', detail);
}

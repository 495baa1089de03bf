import type { UserPrincipal } from '../../../core/access/principal.ts';
import {
  authorize,
  authorizeGrant,
  authorizeLifetime,
  authorizeRole,
  isForPeopleOnly,
  leastRole,
  maySee,
  needsStepUp,
  type Permission,
  ROLES,
  type Role,
} from '../../../core/access/role.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { callerWith } from '../../support/memory-vault.ts';

/** Written out once more, so that a change of the table is a change here too. */
const TABLE: Record<
  Permission,
  readonly [viewer: boolean, operator: boolean, admin: boolean, owner: boolean]
> = {
  'session:manage': [true, true, true, true],
  'account:manage': [true, true, true, true],
  'mfa:manage': [true, true, true, true],
  'member:leave': [true, true, true, true],
  'oauth:authorize': [true, true, true, true],
  'workspace:read': [true, true, true, true],
  'workspace:create': [false, false, false, true],
  'workspace:update': [false, false, false, true],
  'workspace:delete': [false, false, false, true],
  'member:list': [true, true, true, true],
  'member:manage': [false, false, true, true],
  'namespace:list': [true, true, true, true],
  'namespace:create': [false, true, true, true],
  'namespace:delete': [false, false, true, true],
  'secret:list': [true, true, true, true],
  'secret:read': [true, true, true, true],
  'secret:export': [true, true, true, true],
  'secret:reveal': [false, true, true, true],
  'secret:write': [false, true, true, true],
  'secret:delete': [false, true, true, true],
  'secret:purge': [false, false, false, true],
  'api_key:list': [false, false, true, true],
  'api_key:manage': [false, false, true, true],
  'webhook:list': [false, false, true, true],
  'webhook:manage': [false, false, true, true],
  'alert:read': [false, false, true, true],
  'alert:manage': [false, false, true, true],
  'detection:read': [false, false, true, true],
  'detection:manage': [false, false, true, true],
  'decoy:manage': [false, false, true, true],
  'finding:read': [false, false, true, true],
  'finding:manage': [false, false, true, true],
  'audit:read': [false, false, true, true],
  'audit:export': [false, false, true, true],
  'audit:verify': [false, false, true, true],
  'plan:read': [false, false, true, true],
  'encryption_key:read': [false, false, true, true],
  'encryption_key:manage': [false, false, false, true],
  'secrets_sync:read': [false, false, true, true],
  'secrets_sync:manage': [false, false, false, true],
  'evidence_schedule:read': [false, false, true, true],
  'evidence_schedule:manage': [false, false, true, true],
};
const permissions = Object.keys(TABLE) as Permission[];

/** No API key has these, whatever its role. */
const PEOPLE_ONLY: readonly Permission[] = [
  'session:manage',
  'account:manage',
  'mfa:manage',
  'member:leave',
  'oauth:authorize',
  'workspace:create',
  'encryption_key:manage',
  'secrets_sync:manage',
];
/** What somebody who owes something can do all the same. */
const PERSONAL: readonly Permission[] = ['session:manage', 'account:manage', 'mfa:manage', 'member:leave'];
const STEP_UP: readonly Permission[] = [
  'mfa:manage',
  'member:leave',
  'workspace:create',
  'workspace:update',
  'workspace:delete',
  'member:manage',
  'secret:export',
  'secret:reveal',
  'secret:purge',
  'api_key:manage',
  'webhook:manage',
  'detection:manage',
  'decoy:manage',
  'audit:export',
  'encryption_key:manage',
  'secrets_sync:manage',
  'evidence_schedule:manage',
];
/** Not for those who are limited to some namespaces. */
const WIDE: readonly Permission[] = [
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
];

function person(role: Role, more: Partial<UserPrincipal> = {}): UserPrincipal {
  const rights = { type: 'user', id: 'ada', workspaceId: 'ws_1', namespaces: ['*'] } as const;
  return { ...rights, role, sessionId: 'ses_1', steppedUp: true, ...more };
}

/** The code of the refusal, or `undefined` for whoever may. */
function refusal(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof VaultError) return error.code;
    throw error;
  }
}

function allows(work: () => void): boolean {
  const code = refusal(work);
  expect([undefined, 'forbidden']).toContain(code);
  return code === undefined;
}

describe.each(permissions)('%s', (permission) => {
  const isForPeople = PEOPLE_ONLY.includes(permission);

  it.each(ROLES.map((role, index) => [role, TABLE[permission][index] ?? false] as const))(
    'for a %s: %p',
    (role, expected) => {
      expect(allows(() => authorize(person(role), permission))).toBe(expected);
      const key = callerWith({ role }).principal;
      expect(allows(() => authorize(key, permission))).toBe(expected && !isForPeople);
    },
  );

  it('wants a person to be stepped up, if anything grave can come of it', () => {
    const expected = STEP_UP.includes(permission) ? 'step_up_required' : undefined;
    expect(refusal(() => authorize(person('owner', { steppedUp: false }), permission))).toBe(expected);
  });

  it.each([
    ['mfa_enrollment', 'mfa_enrollment_required'],
    ['password_change', 'password_change_required'],
  ] as const)('waits until a person has settled what they owe, unless it settles that: %s', (owes, code) => {
    const expected = PERSONAL.includes(permission) ? undefined : code;
    expect(refusal(() => authorize(person('owner', { owes }), permission))).toBe(expected);
    expect(refusal(() => authorize(person('owner', { owes, steppedUp: false }), permission))).toBe(
      expected ?? (STEP_UP.includes(permission) ? 'step_up_required' : undefined),
    );
  });

  it('is not lost by a higher role', () => {
    const rights = TABLE[permission];
    expect(rights.indexOf(true)).toBe(ROLES.indexOf(leastRole(permission)));
    expect(rights.slice(rights.indexOf(true)).every(Boolean)).toBe(true);
  });

  it('of one that is limited to namespaces holds in those alone, and not for the workspace as a whole', () => {
    const { principal } = callerWith({ role: 'owner', namespaces: ['prod', 'dev'] });
    const isPossible = !WIDE.includes(permission) && !isForPeople;
    expect(allows(() => authorize(principal, permission))).toBe(isPossible);
    expect(allows(() => authorize(principal, permission, 'prod'))).toBe(isPossible);
    expect(allows(() => authorize(principal, permission, 'test'))).toBe(false);
    expect(allows(() => authorize(principal, permission, 'pro'))).toBe(false);
    expect(allows(() => authorize(principal, permission, '*'))).toBe(false);
  });
});

it('the questions about a permission are answered by the same table', () => {
  expect(permissions.filter(needsStepUp)).toEqual(STEP_UP);
  expect(permissions.filter(isForPeopleOnly)).toEqual(PEOPLE_ONLY);
});

it.each(ROLES.flatMap((own) => ROLES.map((role) => [own, role] as const)))(
  'X1 a %s manages a %s only if that is not above the own role',
  (own, role) => {
    const expected = ROLES.indexOf(own) >= ROLES.indexOf(role);
    expect(allows(() => authorizeRole(person(own), role))).toBe(expected);
    expect(allows(() => authorizeRole(callerWith({ role: own }).principal, role))).toBe(expected);
  },
);

it('a principal for all namespaces sees any, one with none sees none', () => {
  expect(maySee(callerWith({ namespaces: ['*'] }).principal, 'any')).toBe(true);
  expect(maySee(callerWith({ namespaces: [] }).principal, 'any')).toBe(false);
});

describe('a grant', () => {
  const grants = (by: Role, byNamespaces: string[], role: Role, namespaces: string[]): boolean =>
    allows(() =>
      authorizeGrant(callerWith({ role: by, namespaces: byNamespaces }).principal, { role, namespaces }),
    );

  it.each(ROLES.flatMap((by) => ROLES.map((role) => [by, role] as const)))(
    'of a %s to a %s is never above the own role',
    (by, role) => {
      expect(grants(by, ['*'], role, ['*'])).toBe(ROLES.indexOf(by) >= ROLES.indexOf(role));
    },
  );

  it.each<[string[], string[], boolean]>([
    [['*'], ['prod'], true],
    [['*'], ['*'], true],
    [['prod'], ['prod'], true],
    [['prod', 'dev'], ['dev'], true],
    [['prod'], ['prod', 'dev'], false],
    [['prod'], ['*'], false],
  ])('by one for %p to one for %p: %p', (own, given, expected) => {
    expect(grants('admin', own, 'viewer', given)).toBe(expected);
  });
});

it.each<[own: string | undefined, given: string | undefined, allowed: boolean]>([
  [undefined, undefined, true],
  [undefined, '2026-02-01T00:00:00.000Z', true],
  ['2026-02-01T00:00:00.000Z', '2026-01-31T23:59:59.999Z', true],
  ['2026-02-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z', true],
  // The same moment, as another clock writes it.
  ['2026-02-01T00:00:00.000Z', '2026-02-01T01:00:00+01:00', true],
  ['2026-02-01T00:00:00.000Z', '2026-02-01T00:00:00.001Z', false],
  ['2026-02-01T00:00:00.000Z', '2026-02-01T00:00:00-01:00', false],
  ['2026-02-01T00:00:00.000Z', undefined, false],
])('one whose key ends at %p may make a key that ends at %p: %p', (own, expiresAt, allowed) => {
  const { principal } = callerWith({ role: 'owner' });
  const caller = own === undefined ? principal : { ...principal, expiresAt: own };
  const rights = { role: 'viewer', namespaces: ['*'], expiresAt } as const;
  expect(allows(() => authorizeLifetime(caller, rights))).toBe(allowed);
});

import {
  authorize,
  authorizeGrant,
  authorizeLifetime,
  leastRole,
  maySee,
  type Permission,
  ROLES,
  type Role,
} from '../../../core/access/role.ts';
import { callerWith } from '../../support/memory-vault.ts';

/** Written out once more, so that a change of the table is a change here too. */
const TABLE: Record<
  Permission,
  readonly [viewer: boolean, operator: boolean, admin: boolean, owner: boolean]
> = {
  'namespace:list': [true, true, true, true],
  'namespace:create': [false, true, true, true],
  'namespace:delete': [false, false, true, true],
  'secret:list': [true, true, true, true],
  'secret:read': [true, true, true, true],
  'secret:reveal': [false, true, true, true],
  'secret:write': [false, true, true, true],
  'secret:delete': [false, true, true, true],
  'secret:purge': [false, false, false, true],
  'api_key:list': [false, false, true, true],
  'api_key:manage': [false, false, true, true],
  'audit:read': [false, false, true, true],
  'audit:export': [false, false, true, true],
  'audit:verify': [false, false, true, true],
};
const permissions = Object.keys(TABLE) as Permission[];

function allows(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'forbidden' });
    return false;
  }
}

describe.each(permissions)('%s', (permission) => {
  it.each(ROLES.map((role, index) => [role, TABLE[permission][index] ?? false] as const))(
    'for a %s: %p',
    (role, expected) => {
      expect(allows(() => authorize(callerWith({ role }).principal, permission))).toBe(expected);
    },
  );

  it('is not lost by a higher role', () => {
    const rights = TABLE[permission];
    expect(rights.indexOf(true)).toBe(ROLES.indexOf(leastRole(permission)));
    expect(rights.slice(rights.indexOf(true)).every(Boolean)).toBe(true);
  });

  it('of one that is limited to namespaces holds in those alone, and not for the workspace as a whole', () => {
    const { principal } = callerWith({ role: 'owner', namespaces: ['prod', 'dev'] });
    const wide = permission.startsWith('audit:') || permission === 'api_key:list';
    expect(allows(() => authorize(principal, permission))).toBe(!wide);
    expect(allows(() => authorize(principal, permission, 'prod'))).toBe(!wide);
    expect(allows(() => authorize(principal, permission, 'test'))).toBe(false);
    expect(allows(() => authorize(principal, permission, 'pro'))).toBe(false);
    expect(allows(() => authorize(principal, permission, '*'))).toBe(false);
  });
});

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

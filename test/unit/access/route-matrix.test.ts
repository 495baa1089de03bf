import { isAtLeast, leastRole, ROLES } from '../../../core/access/role.ts';
import type { GuardedRoute } from '../../../lambdas/api/http/route.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { addKey, addWorkspace, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { ROUTE_CASES, type RouteCase } from '../../support/route-cases.ts';

/** A replay is for the principal that made the first request, and for no role. */
const REPLAY = 'POST /secrets, repeated with its Idempotency-Key';
/** Needs more than the permission of its route says: destroying is for owners. */
const PURGE = 'DELETE /secrets/{id}, purge';

const nameOf = ({ route, when }: RouteCase): string => (when === undefined ? route : `${route}, ${when}`);
const guardedRoutes = routes.filter((route): route is GuardedRoute => route.permission !== 'public');
const routeOf = ({ route: name }: RouteCase): GuardedRoute | undefined =>
  guardedRoutes.find(({ method, path }) => `${method} ${path}` === name);

/** Every request of a route that is not for everybody, with its rule. */
const cases = ROUTE_CASES.flatMap((one) => {
  const route = routeOf(one);
  if (route === undefined || nameOf(one) === REPLAY) return [];
  const least = nameOf(one) === PURGE ? leastRole('secret:purge') : leastRole(route.permission);
  return [{ name: nameOf(one), one, route, least }];
});

it('every route has a rule in the role table, and a case here', () => {
  const ruled = guardedRoutes.filter(({ permission }) => ROLES.includes(leastRole(permission)));
  expect(ruled).toHaveLength(guardedRoutes.length);
  const tried = new Set(cases.map(({ route }) => route));
  expect(guardedRoutes.filter((route) => !tried.has(route)).map(({ path }) => path)).toEqual([]);
  const open = routes.filter(({ permission }) => permission === 'public').map(({ path }) => path);
  expect(open.toSorted()).toEqual(['/health', '/openapi.json', '/setup']);
});

describe.each(cases)('$name', ({ one, route, least }) => {
  const { method } = route;

  it.each(ROLES)('is for a %s if the role table says so', async (role) => {
    const world = await apiWorld();
    const { id, token } = await addKey(world.vault, world.workspaceId, { role });
    const response = await callApi(world.vault, { ...(await one.request(world)), method, token });
    const allowed = isAtLeast(role, least);
    expect({ role, code: problemCode(response) }).toEqual({ role, code: allowed ? undefined : 'forbidden' });
    const rows = rowsOf(world.vault, world.workspaceId).filter(({ actor }) => actor.id === id);
    expect(rows.at(-1)?.result).toBe(allowed ? 'success' : 'denied');
  });

  it('is for nobody without a key, nor with one that is not known', async () => {
    const world = await apiWorld();
    const call = { ...(await one.request(world)), method };
    const tokens = [undefined, `lz_${'A'.repeat(43)}`, 'lz_short'];
    for (const token of tokens) {
      const response = await callApi(world.vault, { ...call, ...(token === undefined ? {} : { token }) });
      expect(problemCode(response)).toBe('unauthenticated');
    }
  });

  it("shows and changes nothing of another workspace's, to its owner", async () => {
    const world = await apiWorld();
    const foreign = await addWorkspace(world.vault);
    const { token } = await addKey(world.vault, foreign, { role: 'owner' });
    const call = { ...(await one.request(world)), method };
    const mine = () =>
      [...world.vault.tables.entities.values()].filter(
        ({ entity }) => entity.workspaceId === world.workspaceId,
      );
    const before = JSON.stringify([mine(), rowsOf(world.vault, world.workspaceId)]);
    const response = await callApi(world.vault, { ...call, token });

    if (route.path.includes('{')) expect(problemCode(response)).toBe('not_found');
    expect(JSON.stringify([mine(), rowsOf(world.vault, world.workspaceId)])).toBe(before);
    const shown = JSON.stringify([response.json, response.text]);
    expect(shown).not.toContain(world.workspaceId);
    expect(shown).not.toContain('v'.repeat(100));
    expect(rowsOf(world.vault, foreign).length).toBeGreaterThan(0);
  });

  it('shows and changes nothing outside the namespaces of a key, though its role would do', async () => {
    const world = await apiWorld();
    const { token } = await addKey(world.vault, world.workspaceId, {
      role: 'owner',
      namespaces: ['elsewhere'],
    });
    const call = { ...(await one.request(world)), method };
    const secrets = () =>
      [...world.vault.tables.entities.values()].filter(({ entity }) => entity.kind.startsWith('secret'));
    const before = JSON.stringify(secrets());
    const response = await callApi(world.vault, { ...call, token });
    expect(JSON.stringify(secrets())).toBe(before);
    expect(JSON.stringify([response.json, response.text])).not.toContain('v'.repeat(100));
    if (route.path.includes('{') || route.permission.startsWith('audit'))
      expect(problemCode(response)).toBe('forbidden');
  });
});

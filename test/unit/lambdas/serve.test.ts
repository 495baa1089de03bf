import { z } from 'zod';
import { isAtLeast, leastRole, ROLES } from '../../../core/access/role.ts';
import { type GuardedRoute, guarded } from '../../../lambdas/api/http/route.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { addKey, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { ROUTE_CASES } from '../../support/route-cases.ts';

const guardedRoutes = routes.filter((route): route is GuardedRoute => route.permission !== 'public');
/** The plain request of each route that is not for everybody. */
const cases = guardedRoutes.map((route) => {
  const name = `${route.method} ${route.path}`;
  const found = ROUTE_CASES.find((one) => one.route === name);
  if (found === undefined) throw new Error(`There is no case of ${name}.`);
  return { name, route, request: found.request };
});

/** A world, a key, and the rows which that key's requests leave. */
async function served(role: (typeof ROLES)[number]) {
  const world = await apiWorld();
  const { id, token } = await addKey(world.vault, world.workspaceId, { role });
  const rows = () => rowsOf(world.vault, world.workspaceId).filter(({ actor }) => actor.id === id);
  return { ...world, id, token, rows };
}

describe.each(cases)('$name leaves a row', ({ route, request }) => {
  const { method } = route;

  it('when all goes well', async () => {
    const world = await served('owner');
    const response = await callApi(world.vault, { ...(await request(world)), method, token: world.token });
    expect(problemCode(response)).toBeUndefined();
    expect(world.rows().length).toBeGreaterThan(0);
    expect(world.rows().every(({ result }) => result === 'success')).toBe(true);
  });

  it.each([
    ['a body that is no JSON', { body: '{' }, 'malformed_json'],
    ['a field too many', { json: { surplus: 1 } }, 'invalid_request'],
    ['an Idempotency-Key with a space', { headers: { 'Idempotency-Key': 'a b' } }, 'invalid_request'],
    ['an unknown parameter', { query: { surplus: '1' } }, 'invalid_request'],
    ['a repeated parameter', { query: { limit: ['1', '2'] } }, 'invalid_request'],
  ])('for %s', async (_, wrong, code) => {
    const world = await served('owner');
    const call = await request(world);
    const headers = { 'Content-Type': 'application/json', ...('headers' in wrong ? wrong.headers : {}) };
    const response = await callApi(world.vault, { ...call, ...wrong, headers, method, token: world.token });
    expect(problemCode(response)).toBe(code);
    expect(world.rows()).toMatchObject([
      { action: route.action, result: 'failure', detail: { code, route: `${method} ${route.path}` } },
    ]);
  });

  // None for the routes of viewers, which everybody with a key may use.
  const below = ROLES.filter((role) => !isAtLeast(role, leastRole(route.permission)));
  for (const role of below) {
    it(`for a role that is too low: ${role}`, async () => {
      const world = await served(role);
      const response = await callApi(world.vault, { ...(await request(world)), method, token: world.token });
      expect(problemCode(response)).toBe('forbidden');
      expect(world.rows()).toMatchObject([
        { action: route.action, result: 'denied', detail: { code: 'forbidden' } },
      ]);
    });
  }

  it('when the store fails', async () => {
    const world = await served('owner');
    const call = { ...(await request(world)), method, token: world.token };
    let reads = 0;
    world.vault.tables.faults = async ({ name }) => {
      if (!name.startsWith('store.') || name === 'store.find') return 'none';
      reads += 1;
      return 'before';
    };
    const response = await callApi(world.vault, call);
    // A bulk reveal tells of each secret by itself; here, of all of them.
    const bulk = response.json as { items?: unknown[]; errors?: { code: string }[] } | undefined;
    const code = problemCode(response) ?? (bulk?.items?.length === 0 ? bulk.errors?.[0]?.code : undefined);
    expect(code).toBe(reads > 0 ? 'unavailable' : undefined);
    expect(world.rows().at(-1)?.result).toBe(reads > 0 ? 'failure' : 'success');
  });

  it('or answers 503 and shows nothing, when no row can be written', async () => {
    const world = await served('owner');
    const call = { ...(await request(world)), method, token: world.token };
    world.vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    const decrypts = world.vault.keys.calls.filter((name) => name === 'decrypt').length;
    const response = await callApi(world.vault, call);
    expect([response.status, problemCode(response)]).toEqual([503, 'unavailable']);
    expect(response.headers).toMatchObject({ 'Retry-After': '2' });
    expect(world.vault.keys.calls.filter((name) => name === 'decrypt')).toHaveLength(decrypts);
    expect(world.rows()).toEqual([]);
  });
});

describe('a use case', () => {
  const table = (handle: GuardedRoute['handle']) => [
    guarded({
      method: 'GET',
      path: '/things/{id}',
      summary: 'A thing',
      permission: 'secret:read',
      action: 'secret.read',
      responses: [],
      params: z.object({ id: z.string() }),
      handle,
    }),
  ];
  const call = (path: string, token: string) => ({ method: 'GET', path, token });

  it('that records nothing is withheld, and recorded as a failure', async () => {
    const world = await served('viewer');
    const routesHere = table(async () => ({ status: 200, json: 'a secret value' }));
    const response = await callApi(world.vault, call('/things/a', world.token), routesHere);
    expect([response.status, problemCode(response)]).toEqual([500, 'internal']);
    expect(response.text).not.toContain('a secret value');
    expect(world.rows()).toMatchObject([{ result: 'failure', detail: { code: 'internal' } }]);
  });

  it('that throws what nobody foresaw says nothing of it', async () => {
    const world = await served('viewer');
    const routesHere = table(async () => {
      throw new Error('the password is hunter2');
    });
    const response = await callApi(world.vault, call('/things/a', world.token), routesHere);
    expect(problemCode(response)).toBe('internal');
    expect(response.text).not.toContain('hunter2');
  });

  it('that fails after a row of success gets one of failure', async () => {
    const world = await served('viewer');
    const routesHere = table(async (_, { principal, ip, userAgent }, { trail }) => {
      const actor = { type: principal.type, id: principal.id };
      await trail.commit({ workspaceId: principal.workspaceId, lane: 0, actor, ip, userAgent }, [
        { action: 'secret.read', entity: { type: 'secret', id: 'a' }, result: 'success' },
      ]);
      throw new Error('later');
    });
    await callApi(world.vault, call('/things/a', world.token), routesHere);
    expect(world.rows().map(({ result }) => result)).toEqual(['success', 'failure']);
  });

  it.each([
    ['/things/sec_1', { type: 'secret', id: 'sec_1' }],
    ['/things/a%20b', { type: 'workspace' }],
    [`/things/${'x'.repeat(129)}`, { type: 'workspace' }],
    ['/things/%F0%9F%94%91', { type: 'workspace' }],
  ])(
    'that fails is recorded with what the caller named, if that could be a name: %s',
    async (path, entity) => {
      const world = await served('viewer');
      const routesHere = table(async () => {
        throw new Error('always');
      });
      await callApi(world.vault, call(path, world.token), routesHere);
      expect(world.rows()).toMatchObject([{ entity }]);
    },
  );
});

it('the mark of last use that cannot be made fails no request, and is logged without the token', async () => {
  const warn = jest.spyOn(logger, 'warn').mockImplementation();
  const world = await served('viewer');
  world.vault.tables.faults = async ({ name }) => (name === 'bookkeeping.markKeyUsed' ? 'before' : 'none');
  const response = await callApi(world.vault, { method: 'GET', path: '/namespaces', token: world.token });
  expect(response.status).toBe(200);
  expect(warn.mock.calls).toEqual([
    ['The last use of an API key was not noted', { keyId: world.id, error: 'unavailable' }],
  ]);
  warn.mockRestore();
});

it('a path or method that is not there is told before anybody is asked who they are', async () => {
  const { vault } = await apiWorld();
  expect(problemCode(await callApi(vault, { method: 'GET', path: '/nothing' }))).toBe('not_found');
  expect(problemCode(await callApi(vault, { method: 'DELETE', path: '/health' }))).toBe('method_not_allowed');
});

import { z } from 'zod';
import { isAtLeast, isForPeopleOnly, leastRole, ROLES, type Role } from '../../../core/access/role.ts';
import type { AuditRow } from '../../../core/audit/row.ts';
import { type GuardedRoute, guarded } from '../../../lambdas/api/http/route.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { keyActor, personActor } from '../../support/actors.ts';
import { addKey, apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, tenantRows } from '../../support/memory-vault.ts';
import { ROUTE_CASES } from '../../support/route-cases.ts';
import { addMember } from '../../support/world.ts';

const guardedRoutes = routes.filter((route): route is GuardedRoute => route.permission !== 'public');
const CALLERS = ['an API key', 'a person'] as const;

/** The plain request of each route that is not for everybody, by whoever it is for. */
const cases = guardedRoutes.flatMap((route) => {
  const name = `${route.method} ${route.path}`;
  const found = ROUTE_CASES.find((one) => one.route === name);
  if (found === undefined) throw new Error(`There is no case of ${name}.`);
  const onlyByPeople = isForPeopleOnly(route.permission) || found.onlyByPeople === true;
  const types = CALLERS.filter((type) => type === 'a person' || !onlyByPeople);
  return types.map((type) => ({ name, route, request: found.request, type }));
});

/** A world, a key, and the rows which that key's requests leave. */
async function served(role: Role) {
  const world = await apiWorld();
  const { id, token } = await addKey(world.vault, world.workspaceId, { role });
  return { ...world, id, token, rows: () => rowsOfActor(world.vault, id) };
}

function rowsOfActor(vault: MemoryVault, id: string): AuditRow[] {
  return tenantRows(vault).filter(({ actor }) => actor.id === id);
}

/** A request that is ready to be made, and the rows which its caller leaves from then on. */
async function ready({ request, type }: (typeof cases)[number], role: Role) {
  const world = await apiWorld();
  const { vault, workspaceId } = world;
  const member = await addMember(vault, workspaceId, { role });
  const call = await request(world, member);
  const actor =
    type === 'a person' ? personActor(vault, member) : await keyActor(vault, workspaceId, { role });
  const earlier = rowsOfActor(vault, actor.id).length;
  return { vault, call, actor, rows: () => rowsOfActor(vault, actor.id).slice(earlier) };
}

describe.each(cases)('$name of $type leaves a row', (one) => {
  const { route, type } = one;
  const { method } = route;

  it('when all goes well', async () => {
    const { call, actor, rows } = await ready(one, 'owner');
    const response = await actor.send(route, call);
    expect(problemCode(response)).toBeUndefined();
    expect(rows().length).toBeGreaterThan(0);
    expect(rows().every(({ result }) => result === 'success')).toBe(true);
  });

  it.each([
    ['a body that is no JSON', { body: '{' }, 'malformed_json'],
    ['a field too many', { json: { surplus: 1 } }, 'invalid_request'],
    ['an Idempotency-Key with a space', { headers: { 'Idempotency-Key': 'a b' } }, 'invalid_request'],
    ['an unknown parameter', { query: { surplus: '1' } }, 'invalid_request'],
    ['a repeated parameter', { query: { limit: ['1', '2'] } }, 'invalid_request'],
  ])('for %s', async (_, wrong, code) => {
    const { call, actor, rows } = await ready(one, 'owner');
    const headers = { 'Content-Type': 'application/json', ...('headers' in wrong ? wrong.headers : {}) };
    const response = await actor.send(route, { ...call, ...wrong, headers });
    expect(problemCode(response)).toBe(code);
    expect(rows()).toMatchObject([
      { action: route.action, result: 'failure', detail: { code, route: `${method} ${route.path}` } },
    ]);
  });

  // None for the routes of viewers, which everybody may use.
  const below = ROLES.filter((role) => !isAtLeast(role, leastRole(route.permission)));
  for (const role of below) {
    it(`for a role that is too low: ${role}`, async () => {
      const { call, actor, rows } = await ready(one, role);
      expect(problemCode(await actor.send(route, call))).toBe('forbidden');
      expect(rows()).toMatchObject([
        { action: route.action, result: 'denied', detail: { code: 'forbidden' } },
      ]);
    });
  }

  it('when the store fails', async () => {
    const { vault, call, actor, rows } = await ready(one, 'owner');
    // Finding out who calls takes these: of a person it reads account, membership, workspace and ended logins.
    let identifying = type === 'a person' ? 4 : 0;
    let reads = 0;
    vault.tables.faults = async ({ name }) => {
      if (!name.startsWith('store.') || name === 'store.find') return 'none';
      if (identifying > 0) {
        identifying -= 1;
        return 'none';
      }
      reads += 1;
      return 'before';
    };
    const response = await actor.send(route, call);
    // A bulk reveal tells of each secret by itself; here, of all of them.
    const bulk = response.json as { items?: unknown[]; errors?: { code: string }[] } | undefined;
    const code = problemCode(response) ?? (bulk?.items?.length === 0 ? bulk.errors?.[0]?.code : undefined);
    expect(code).toBe(reads > 0 ? 'unavailable' : undefined);
    expect(rows().at(-1)?.result).toBe(reads > 0 ? 'failure' : 'success');
  });

  it('or answers 503 and shows nothing, when no row can be written', async () => {
    const { vault, call, actor, rows } = await ready(one, 'owner');
    vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    const decrypts = vault.keys.calls.filter((name) => name === 'decrypt').length;
    const response = await actor.send(route, call);
    expect([response.status, problemCode(response)]).toEqual([503, 'unavailable']);
    expect(response.headers).toMatchObject({ 'Retry-After': '2' });
    expect(vault.keys.calls.filter((name) => name === 'decrypt')).toHaveLength(decrypts);
    expect(rows()).toEqual([]);
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

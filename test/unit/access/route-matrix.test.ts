import { isAtLeast, isForPeopleOnly, leastRole, needsStepUp, ROLES } from '../../../core/access/role.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { STEP_UP_MS } from '../../../core/identity/session.ts';
import { userKind } from '../../../core/identity/user.ts';
import { update } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { DEFAULT_POLICY } from '../../../core/workspaces/workspace.ts';
import type { GuardedRoute } from '../../../lambdas/api/http/route.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { type Actor, keyActor, personActor } from '../../support/actors.ts';
import { addWorkspace, apiWorld, changeWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf, tenantRows } from '../../support/memory-vault.ts';
import { ROUTE_CASES, type RouteCase } from '../../support/route-cases.ts';
import { addMember, expectSuccess, type Member, VALUE } from '../../support/world.ts';
import { CASE_RULES, PUBLIC_ROUTES, ROUTE_RULES, type RouteRule } from './route-rules.ts';

/** A replay is for the principal that made the first request, and for no role. */
const REPLAY = 'POST /secrets, repeated with its Idempotency-Key';

const nameOf = ({ route, when }: RouteCase): string => (when === undefined ? route : `${route}, ${when}`);
const guardedRoutes = routes.filter((route): route is GuardedRoute => route.permission !== 'public');
const byName = new Map(guardedRoutes.map((route) => [`${route.method} ${route.path}`, route]));

/** Every request of a route that is not for everybody, with its rule. */
const cases = ROUTE_CASES.flatMap((one) => {
  const name = nameOf(one);
  const route = byName.get(one.route);
  const rule = CASE_RULES[name] ?? ROUTE_RULES[one.route];
  return route === undefined || rule === undefined || name === REPLAY ? [] : [{ name, one, route, rule }];
});

const CALLERS = ['an API key', 'a person who is stepped up', 'a person whose step-up is over'] as const;
type CallerType = (typeof CALLERS)[number];
const everybody = ROLES.flatMap((role) => CALLERS.map((type) => ({ role, type })));
type Somebody = (typeof everybody)[number];

/** What the rule says to a caller: the code of the refusal, or nothing for those who are let in. */
function refusalOf({ least, people, stepUp }: RouteRule, { role, type }: Somebody): string | undefined {
  if (!isAtLeast(role, least)) return 'forbidden';
  if (type === 'an API key') return people ? 'forbidden' : undefined;
  return stepUp && type === 'a person whose step-up is over' ? 'step_up_required' : undefined;
}

/** A caller in a workspace; `member` is the person that they are, or somebody beside the key. */
async function caller(vault: MemoryVault, workspaceId: string, { role, type }: Somebody) {
  const member = await addMember(vault, workspaceId, { role });
  const actor =
    type === 'an API key' ? await keyActor(vault, workspaceId, { role }) : personActor(vault, member);
  return { actor, member, enter: () => letStepUpEnd(vault, member, type) };
}

/** What a request is about is made ready by somebody stepped up; then the five minutes pass, and the access token's too. */
async function letStepUpEnd(vault: MemoryVault, { browser }: Member, type: CallerType): Promise<void> {
  if (type !== 'a person whose step-up is over') return;
  vault.clock.advance(STEP_UP_MS);
  await expectSuccess(browser.post('/auth/refresh'));
}

const resultsOf = (vault: MemoryVault, { id }: Actor): (string | undefined)[] =>
  tenantRows(vault)
    .filter(({ actor }) => actor.id === id)
    .map(({ result }) => result);

describe('the route table', () => {
  it('gives every guarded route the rule that is written out here, and a case', () => {
    const ruled = guardedRoutes.map(({ method, path, permission }) => [
      `${method} ${path}`,
      { least: leastRole(permission), people: isForPeopleOnly(permission), stepUp: needsStepUp(permission) },
    ]);
    const written = Object.entries(ROUTE_RULES).map(([name, { least, people, stepUp }]) => [
      name,
      { least, people: people === true, stepUp: stepUp === true },
    ]);
    expect(Object.fromEntries(ruled)).toEqual(Object.fromEntries(written));
    const tried = new Set(cases.map(({ route }) => route));
    expect(guardedRoutes.filter((route) => !tried.has(route)).map(({ path }) => path)).toEqual([]);
  });

  it('leaves no route open that is not written out here with its reason', () => {
    const open = routes.filter(({ permission }) => permission === 'public');
    expect(open.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      Object.keys(PUBLIC_ROUTES).toSorted(),
    );
  });
});

describe.each(cases)('X1 $name', ({ name, one, route, rule }) => {
  it.each(everybody)('answers $type with the role $role as its rule says', async (somebody) => {
    const { vault, workspaceId, ...world } = await apiWorld();
    const { actor, member, enter } = await caller(vault, workspaceId, somebody);
    const call = await one.request({ vault, workspaceId, ...world }, member);
    await enter();
    const before = resultsOf(vault, actor).length;
    const people = rule.people ?? one.onlyByPeople;
    const refusal = refusalOf(people ? { ...rule, people } : rule, somebody);
    expect(problemCode(await actor.send(route, call))).toBe(refusal);
    const results = resultsOf(vault, actor).slice(before);
    expect(results.at(-1)).toBe(refusal === undefined ? 'success' : 'denied');
  });

  it.each(everybody)(
    "X2 shows and changes nothing of another tenant's, to $type with the role $role there",
    async (somebody) => {
      const { vault, workspaceId, ...world } = await apiWorld();
      const foreign = await addWorkspace(vault);
      const { actor, member, enter } = await caller(vault, foreign, somebody);
      const call = await one.request({ vault, workspaceId, ...world }, await addMember(vault, workspaceId));
      await enter();
      const theirs = () =>
        [...vault.tables.entities.values()].filter(
          ({ entity }) =>
            entity.workspaceId === workspaceId ||
            (entity.workspaceId === PLATFORM_WORKSPACE && entity.id !== member.id),
        );
      const before = JSON.stringify([theirs(), rowsOf(vault, workspaceId)]);
      const foreignRows = rowsOf(vault, foreign).length;
      const response = await actor.send(route, call);

      const refusal = refusalOf(rule, somebody) ?? (route.path.includes('{') ? 'not_found' : undefined);
      if (refusal !== undefined) expect(problemCode(response)).toBe(refusal);
      expect(JSON.stringify([theirs(), rowsOf(vault, workspaceId)])).toBe(before);
      const shown = JSON.stringify([response.json, response.text]);
      expect(shown).not.toContain(workspaceId);
      expect(shown).not.toContain(VALUE);
      expect(rowsOf(vault, foreign).length).toBeGreaterThan(foreignRows);
    },
  );

  it('is for nobody without credentials, nor with such as are not known', async () => {
    const world = await apiWorld();
    const member = await addMember(world.vault, world.workspaceId);
    const call = { ...(await one.request(world, member)), method: route.method };
    const unknown = [
      {},
      { token: `lz_${'A'.repeat(43)}` },
      { token: 'lz_short' },
      { token: 'eyJhbGciOiJub25lIn0.e30.AAAA' },
      { headers: { ...call.headers, Cookie: '__Host-lockzero_access=eyJhbGciOiJub25lIn0.e30.AAAA' } },
    ];
    for (const credentials of unknown) {
      const response = await callApi(world.vault, { ...call, ...credentials });
      expect([response.status, problemCode(response)]).toEqual([401, 'unauthenticated']);
    }
  });

  it.each(['mfa_enrollment_required', 'password_change_required'])(
    'is for somebody who owes something only if it is their own affair: %s',
    async (debt) => {
      const world = await apiWorld();
      const { vault, workspaceId } = world;
      if (debt === 'mfa_enrollment_required')
        await changeWorkspace(vault, workspaceId, { policy: { ...DEFAULT_POLICY, requireMfa: true } });
      const member = await addMember(vault, workspaceId);
      if (debt === 'password_change_required') await weakenPassword(vault, member);
      const call = await one.request(world, member);
      const answer = await personActor(vault, member).send(route, call);
      const settled = debt === 'mfa_enrollment_required' && name === 'DELETE /auth/mfa/totp';
      expect(problemCode(answer)).toBe(rule.personal ? (settled ? 'mfa_required' : undefined) : debt);
    },
  );

  it('shows and changes nothing outside the namespaces of a key, though its role would do', async () => {
    const world = await apiWorld();
    const { vault, workspaceId } = world;
    const key = await keyActor(vault, workspaceId, { role: 'owner', namespaces: ['elsewhere'] });
    const call = await one.request(world, await addMember(vault, workspaceId));
    const secrets = () =>
      [...vault.tables.entities.values()].filter(({ entity }) => entity.kind.startsWith('secret'));
    const before = JSON.stringify(secrets());
    const response = await key.send(route, call);
    expect(JSON.stringify(secrets())).toBe(before);
    expect(JSON.stringify([response.json, response.text])).not.toContain(VALUE);
    if (route.path.includes('{') || rule.wide || rule.people) expect(problemCode(response)).toBe('forbidden');
  });

  it('is for a browser only with the token of its session and from its own origin, if it changes anything', async () => {
    const world = await apiWorld();
    const { vault, workspaceId } = world;
    const member = await addMember(vault, workspaceId);
    const call = { ...(await one.request(world, member)), method: route.method };
    const headers = { ...call.headers, Cookie: member.browser.cookieHeader() };
    const token = { 'X-CSRF-Token': member.browser.csrfToken ?? '' };
    const crossSite = [{}, { 'X-CSRF-Token': 'A'.repeat(43) }, { ...token, Origin: 'https://evil.example' }];
    for (const shown of crossSite) {
      const code = problemCode(await callApi(vault, { ...call, headers: { ...headers, ...shown } }));
      if (route.bearerOnly) expect(code).toBe('unauthenticated');
      else expect(code).toBe(route.method === 'GET' ? undefined : 'csrf_refused');
    }
  });
});

/** Has a person's password satisfy no profile, as if it were from before there were any. */
async function weakenPassword(vault: MemoryVault, { id }: Member): Promise<void> {
  const user = await vault.store.get(userKind, PLATFORM_WORKSPACE, id);
  if (user === undefined) throw new Error('There is no such person.');
  await vault.trail.commit(systemOrigin(PLATFORM_WORKSPACE), [
    {
      action: 'user.password_changed',
      entity: { type: 'user', id },
      result: 'success',
      changes: [update(userKind, user, { passwordProfiles: [] })],
    },
  ]);
}

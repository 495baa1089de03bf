import { isForPeopleOnly, leastRole, type Role } from '../../core/access/role.ts';
import type { ApiResponse, Route } from '../../lambdas/api/http/route.ts';
import { routes } from '../../lambdas/api/routes/index.ts';
import { personActor } from '../../test/support/actors.ts';
import { type ApiCall, callApi } from '../../test/support/call-api.ts';
import { ROUTE_CASES, type RouteCase } from '../../test/support/route-cases.ts';
import { addMember, type Member, type World, worldOf } from '../../test/support/world.ts';
import type { Cost } from './count-calls.ts';
import type { CountedVault } from './counted-vault.ts';

/** What one request of a route costs, in a warm function: it knows the lane's head and the public keys, and has noted the key's use. */
export interface RouteCost extends Cost {
  readonly route: string;
  /** What sets this case apart from the route's plain one. */
  readonly when: string;
  readonly status: number;
}

const REVEAL = 'POST /secrets/{id}/reveal';
const ABSENT = `/secrets/sec_${'0'.repeat(32)}/reveal`;
const STRANGER = { path: ABSENT, token: `lz_${'A'.repeat(43)}`, ip: '198.51.100.1' };

/** Requests that are refused: they cost as little as can be, and leave their row. */
const REFUSED: readonly RouteCase[] = [
  { route: REVEAL, when: 'no such secret', request: async () => ({ path: ABSENT }) },
  {
    route: REVEAL,
    when: 'malformed body',
    request: async () => ({ path: ABSENT, json: { version: 'x' } }),
  },
  {
    route: REVEAL,
    when: 'unknown key, first time in its minute',
    request: async () => STRANGER,
  },
  { route: REVEAL, when: 'unknown key, again', request: async () => STRANGER },
];

const BY_PERSON: RouteCase = {
  route: REVEAL,
  when: 'by a person',
  onlyByPeople: true,
  request: async (world) => ({ path: `/secrets/${await world.secret()}/reveal` }),
};

/** Makes one request of each case in turn, and counts what it costs. The tables must be empty before. */
export async function measureRouteCosts({ vault, counter, setupToken }: CountedVault): Promise<RouteCost[]> {
  const setup = { method: 'POST', path: '/setup', json: { setupToken, workspaceName: 'Costs' } };
  const installed = await counter.during(() => callApi(vault, setup));
  const costs: RouteCost[] = [
    { ...installed.cost, route: 'POST /setup', when: '', status: installed.result.status },
  ];
  const world = await worldOf(vault, installed.result);
  // Opens the platform's lane for strangers, as the first of them does.
  await callApi(vault, { method: 'GET', path: '/secrets', ip: '198.51.100.9' });
  for (const one of [...ROUTE_CASES, BY_PERSON, ...REFUSED]) {
    const { route, when = '' } = one;
    const member = await addMember(vault, world.workspaceId, { role: leastRoleFor(route) });
    const call = await one.request(world, member);
    const { cost, result } = await counter.during(() => make(world, member, one, call));
    costs.push({ ...cost, route, when, status: result.status });
  }
  return costs;
}

/** With the owner's key or, where no key comes through, as a person; public routes ask for neither. */
function make(
  { vault, ownerToken }: World,
  member: Member,
  { route: name, onlyByPeople }: RouteCase,
  call: Omit<ApiCall, 'method'>,
): Promise<ApiResponse> {
  const route = routeNamed(name);
  const { method } = route;
  if (route.permission === 'public') return callApi(vault, { ...call, method });
  if (onlyByPeople || isForPeopleOnly(route.permission)) return personActor(vault, member).send(route, call);
  return callApi(vault, { token: ownerToken, ...call, method });
}

/** Owners are listed in their workspace: too many of them would make it dear to change. */
function leastRoleFor(name: string): Role {
  const { permission } = routeNamed(name);
  return permission === 'public' ? 'viewer' : leastRole(permission);
}

function routeNamed(name: string): Route {
  const route = routes.find(({ method, path }) => `${method} ${path}` === name);
  if (route === undefined) throw new Error(`There is no route ${name}.`);
  return route;
}

/** The costs as a Markdown table. */
export function routeCostTable(costs: readonly RouteCost[]): string {
  const header = [
    'route',
    'case',
    'status',
    'KMS Decrypt',
    'KMS GenerateDataKey',
    'KMS Sign',
    'reads',
    'writes',
    'transactions',
    'S3 reads',
    'read units',
    'write units',
  ];
  const rows = costs.map((cost) => [
    `\`${cost.route}\``,
    cost.when,
    cost.status,
    cost.decrypts,
    cost.dataKeys,
    cost.signatures,
    cost.reads,
    cost.marks === 0 ? cost.writes : `${cost.writes} (${cost.marks} bookkeeping)`,
    cost.transactions,
    cost.objects,
    cost.readUnits,
    cost.writeUnits,
  ]);
  return [header, header.map((_, index) => (index < 2 ? '---' : '--:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
}

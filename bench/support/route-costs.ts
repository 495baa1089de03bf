import { callApi } from '../../test/support/call-api.ts';
import { ROUTE_CASES, type RouteCase, worldOf } from '../../test/support/route-cases.ts';
import type { Cost } from './count-calls.ts';
import type { CountedVault } from './counted-vault.ts';

/** What one request of a route costs, in a warm function: it knows the lane's head, and has noted the key's use. */
export interface RouteCost extends Cost {
  readonly route: string;
  /** What sets this case apart from the route's plain one. */
  readonly when: string;
  readonly status: number;
}

const ABSENT = `/secrets/sec_${'0'.repeat(32)}/reveal`;
const STRANGER = { path: ABSENT, token: `lz_${'A'.repeat(43)}`, ip: '198.51.100.1' };

/** Requests that are refused: they cost as little as can be, and leave their row. */
const REFUSED: readonly RouteCase[] = [
  { route: 'POST /secrets/{id}/reveal', when: 'no such secret', request: async () => ({ path: ABSENT }) },
  {
    route: 'POST /secrets/{id}/reveal',
    when: 'malformed body',
    request: async () => ({ path: ABSENT, json: { version: 'x' } }),
  },
  {
    route: 'POST /secrets/{id}/reveal',
    when: 'unknown key, first time in its minute',
    request: async () => STRANGER,
  },
  { route: 'POST /secrets/{id}/reveal', when: 'unknown key, again', request: async () => STRANGER },
];

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
  for (const { route, when = '', request } of [...ROUTE_CASES, ...REFUSED]) {
    const call = { token: world.ownerToken, ...(await request(world)), method: route.split(' ')[0] ?? '' };
    const { cost, result } = await counter.during(() => callApi(vault, call));
    costs.push({ ...cost, route, when, status: result.status });
  }
  return costs;
}

/** The costs as a Markdown table. */
export function routeCostTable(costs: readonly RouteCost[]): string {
  const header = [
    'route',
    'case',
    'status',
    'KMS Decrypt',
    'KMS GenerateDataKey',
    'reads',
    'writes',
    'transactions',
    'read units',
    'write units',
  ];
  const rows = costs.map((cost) => [
    `\`${cost.route}\``,
    cost.when,
    cost.status,
    cost.decrypts,
    cost.dataKeys,
    cost.reads,
    cost.marks === 0 ? cost.writes : `${cost.writes} (${cost.marks} bookkeeping)`,
    cost.transactions,
    cost.readUnits,
    cost.writeUnits,
  ]);
  return [header, header.map((_, index) => (index < 2 ? '---' : '--:')), ...rows]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
}

import { type CountedVault, openCountedVault } from '../../../bench/support/counted-vault.ts';
import { measureRouteCosts, type RouteCost, routeCostTable } from '../../../bench/support/route-costs.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';

jest.setTimeout(120_000);

/** At most: calls of KMS (Decrypt, GenerateDataKey) and of DynamoDB (reads, writes, transactions). */
type Budget = readonly [
  decrypts: number,
  dataKeys: number,
  reads: number,
  writes: number,
  transactions: number,
];

/** What each route may cost in a warm function. A request that changes nothing writes one row and no transaction. */
const BUDGETS: Readonly<Record<string, Budget>> = {
  'POST /setup': [0, 0, 3, 0, 1],
  'GET /health': [0, 0, 0, 0, 0],
  'GET /openapi.json': [0, 0, 0, 0, 0],
  'GET /namespaces': [0, 0, 2, 1, 0],
  'POST /namespaces': [0, 0, 2, 0, 1],
  'DELETE /namespaces/{namespace}': [0, 0, 3, 0, 2],
  'POST /secrets': [0, 1, 3, 0, 1],
  'POST /secrets, with an Idempotency-Key': [0, 1, 4, 0, 1],
  'POST /secrets, repeated with its Idempotency-Key': [0, 0, 3, 1, 0],
  'GET /secrets': [0, 0, 2, 1, 0],
  'GET /secrets/export': [0, 0, 2, 1, 0],
  'POST /secrets/import, 20 secrets': [0, 20, 4, 0, 1],
  'POST /secrets/import, 60 secrets': [0, 60, 8, 0, 3],
  'GET /secrets/{id}': [0, 0, 2, 1, 0],
  'PATCH /secrets/{id}': [0, 0, 2, 0, 1],
  'DELETE /secrets/{id}': [0, 0, 2, 0, 1],
  'DELETE /secrets/{id}, purge': [0, 0, 4, 0, 2],
  'POST /secrets/{id}/restore': [0, 0, 2, 0, 1],
  'PUT /secrets/{id}/value': [0, 1, 2, 0, 1],
  'POST /secrets/{id}/reveal': [1, 0, 2, 1, 0],
  'POST /secrets/{id}/reveal, an earlier version': [1, 0, 3, 1, 0],
  'POST /secrets/reveal, 10 secrets': [10, 0, 11, 0, 1],
  'GET /secrets/{id}/versions': [0, 0, 3, 1, 0],
  'POST /secrets/{id}/rollback': [1, 1, 2, 1, 1],
  'GET /namespaces/{namespace}/secrets/{name}/value': [1, 0, 3, 1, 0],
  'GET /namespaces/{namespace}/secrets/{name}/value, not modified': [0, 0, 3, 1, 0],
  'POST /api-keys': [0, 0, 1, 0, 1],
  'GET /api-keys': [0, 0, 3, 1, 0],
  'POST /api-keys/{id}/rotate': [0, 0, 2, 0, 1],
  'DELETE /api-keys/{id}': [0, 0, 2, 0, 1],
  'GET /audit': [0, 0, 5, 1, 0],
  'GET /audit/export': [0, 0, 5, 1, 0],
  // Both ends are searched in both lanes, by halving.
  'POST /audit/verify, of one past day': [0, 0, 24, 1, 0],
  'POST /secrets/{id}/reveal, no such secret': [0, 0, 2, 1, 0],
  'POST /secrets/{id}/reveal, malformed body': [0, 0, 1, 1, 0],
  'POST /secrets/{id}/reveal, unknown key, first time in its minute': [0, 0, 1, 3, 0],
  'POST /secrets/{id}/reveal, unknown key, again': [0, 0, 1, 1, 0],
};

const nameOf = ({ route, when }: RouteCost): string => (when === '' ? route : `${route}, ${when}`);

describeWithDynamoDb('what a request costs on AWS', (getEndpoint) => {
  let counted: CountedVault;
  let costs: ReadonlyMap<string, RouteCost>;
  beforeAll(async () => {
    counted = await openCountedVault(getEndpoint());
    costs = new Map((await measureRouteCosts(counted)).map((cost) => [nameOf(cost), cost]));
  });
  afterAll(() => counted.close());

  it.each(Object.entries(BUDGETS))('%s keeps to its budget', (name, budget) => {
    const cost = costs.get(name);
    const spent = [cost?.decrypts, cost?.dataKeys, cost?.reads, cost?.writes, cost?.transactions];
    const names = ['decrypts', 'dataKeys', 'reads', 'writes', 'transactions'];
    const over = names.filter((_, index) => (spent[index] ?? Number.NaN) > (budget[index] ?? 0));
    expect({ name, over, measured: cost !== undefined }).toEqual({ name, over: [], measured: true });
  });

  it('every route has its budget', () => {
    const measured = new Set([...costs.values()].map(({ route }) => route));
    const missing = routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => !measured.has(name));
    expect(missing).toEqual([]);
    expect([...costs.keys()].filter((name) => !(name in BUDGETS))).toEqual([]);
  });

  it('the cases went as they were meant to', () => {
    const statuses = Object.groupBy(costs.values(), ({ status }) => String(status));
    const failed = Object.entries(statuses).flatMap(([status, group = []]) =>
      Number(status) >= 400 ? group.map((cost) => `${status} ${nameOf(cost)}`) : [],
    );
    expect(failed).toEqual([
      '400 POST /secrets/{id}/reveal, malformed body',
      '401 POST /secrets/{id}/reveal, unknown key, first time in its minute',
      '401 POST /secrets/{id}/reveal, unknown key, again',
      '404 POST /secrets/{id}/reveal, no such secret',
    ]);
  });

  it('a reveal reads two units and writes one; what strangers cause is bookkeeping after the first time', () => {
    expect(costs.get('POST /secrets/{id}/reveal')).toMatchObject({ readUnits: 2, writeUnits: 1, marks: 0 });
    expect(costs.get('POST /secrets/{id}/reveal, unknown key, again')).toMatchObject({ writes: 1, marks: 1 });
  });

  it('the table has a line for each case', () => {
    const table = routeCostTable([...costs.values()]);
    expect(table.trimEnd().split('\n')).toHaveLength(costs.size + 2);
    expect(table).toContain('| `POST /secrets/{id}/reveal` |  | 200 | 1 | 0 | 2 | 1 | 0 | 2 | 1 |');
  });
});

import { type CountedVault, openCountedVault } from '../../../bench/support/counted-vault.ts';
import { measureRouteCosts, type RouteCost, routeCostTable } from '../../../bench/support/route-costs.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';

jest.setTimeout(120_000);

/** At most: calls of KMS (Decrypt, GenerateDataKey), of DynamoDB (reads, writes, transactions), of KMS Sign, and reads of S3. */
type Budget = readonly [
  decrypts: number,
  dataKeys: number,
  reads: number,
  writes: number,
  transactions: number,
  signatures?: number,
  objects?: number,
];

/**
 * What each route may cost in a warm function. A request that changes nothing writes one row and no transaction. Of a
 * person six reads and a mark of the session are for finding out who calls; what limits a route is a write each.
 */
const BUDGETS: Readonly<Record<string, Budget>> = {
  'POST /setup': [0, 0, 3, 1, 1],
  'GET /health': [0, 0, 0, 0, 0],
  'GET /openapi.json': [0, 0, 0, 0, 0],
  'GET /namespaces': [0, 0, 2, 1, 0],
  'POST /namespaces': [0, 0, 2, 0, 1],
  'DELETE /namespaces/{namespace}': [0, 0, 3, 0, 2],
  'POST /secrets': [0, 1, 5, 1, 1],
  'POST /secrets, with an Idempotency-Key': [0, 1, 6, 1, 1],
  'POST /secrets, repeated with its Idempotency-Key': [0, 0, 3, 1, 0],
  'GET /secrets': [0, 0, 2, 1, 0],
  'GET /secrets/export': [0, 0, 2, 1, 0],
  'POST /secrets/import, 20 secrets': [0, 20, 6, 1, 1],
  'POST /secrets/import, 60 secrets': [0, 60, 12, 3, 3],
  'GET /secrets/{id}': [0, 0, 2, 1, 0],
  'PATCH /secrets/{id}': [0, 0, 2, 0, 1],
  'DELETE /secrets/{id}': [0, 0, 2, 0, 1],
  'DELETE /secrets/{id}, purge': [0, 0, 4, 1, 2],
  'POST /secrets/{id}/restore': [0, 0, 3, 0, 1],
  'PUT /secrets/{id}/value': [0, 1, 3, 0, 1],
  'POST /secrets/{id}/reveal': [1, 0, 2, 1, 0],
  'POST /secrets/{id}/reveal, an earlier version': [1, 0, 3, 1, 0],
  'POST /secrets/reveal, 10 secrets': [10, 0, 11, 0, 1],
  'GET /secrets/{id}/versions': [0, 0, 3, 1, 0],
  'POST /secrets/{id}/rollback': [1, 1, 3, 1, 1],
  'GET /namespaces/{namespace}/secrets/{name}/value': [1, 0, 3, 1, 0],
  'GET /namespaces/{namespace}/secrets/{name}/value, not modified': [0, 0, 3, 1, 0],
  'POST /api-keys': [0, 0, 4, 0, 1],
  'GET /api-keys': [0, 0, 3, 1, 0],
  'POST /api-keys/{id}/rotate': [0, 0, 3, 0, 1],
  'DELETE /api-keys/{id}': [0, 0, 2, 0, 1],
  'GET /audit': [0, 0, 5, 1, 0],
  'GET /audit/export': [0, 0, 6, 1, 0],
  // Both ends are searched in both lanes, by halving.
  'POST /audit/verify, of one past day': [0, 0, 24, 1, 0],
  'POST /workspace/webhooks/{id}/test': [0, 0, 2, 3, 0],
  'GET /workspace/detection': [0, 0, 2, 1, 0],
  'PATCH /workspace/detection': [0, 0, 3, 0, 1],
  'GET /alerts': [0, 0, 2, 1, 0],
  'GET /alerts/{id}': [0, 0, 2, 1, 0],
  'POST /alerts/{id}/acknowledge': [0, 0, 2, 0, 1],
  'POST /alerts/{id}/close': [0, 0, 2, 0, 1],
  'POST /secrets, a decoy': [0, 1, 5, 1, 1],
  'GET /secrets, decoys': [0, 0, 3, 1, 0],
  'POST /findings': [0, 0, 1, 0, 1],
  'GET /findings': [0, 0, 2, 1, 0],
  'GET /findings/{id}': [0, 0, 2, 1, 0],
  'PATCH /findings/{id}': [0, 0, 2, 0, 1],
  'POST /risks': [0, 0, 1, 0, 1],
  'GET /risks': [0, 0, 2, 1, 0],
  'GET /risks/{id}': [0, 0, 2, 1, 0],
  'PATCH /risks/{id}': [0, 0, 2, 0, 1],
  'GET /workspace/posture': [0, 0, 2, 1, 0],
  'POST /audit/verifications': [0, 0, 25, 10, 0, 0, 4],
  'GET /audit/verifications/{id}': [0, 0, 2, 1, 0],
  'GET /audit/checkpoint': [0, 0, 1, 1, 0, 0, 1],
  'GET /audit/proof/inclusion': [0, 0, 3, 1, 0, 0, 4],
  'GET /audit/proof/consistency': [0, 0, 1, 1, 0, 0, 3],
  'GET /audit/evidence/event': [0, 0, 3, 1, 0, 0, 4],
  'GET /audit/evidence, of all there is so far': [0, 0, 3, 1, 0, 0, 15],
  'GET /audit/evidence/rows, of all there is so far': [0, 0, 1, 1, 0, 0, 8],
  'GET /workspace/evidence-schedule': [0, 0, 2, 1, 0],
  'PUT /workspace/evidence-schedule': [0, 0, 3, 0, 1],
  'DELETE /workspace/evidence-schedule': [0, 0, 2, 0, 1],
  'POST /workspace/webhooks': [0, 0, 7, 0, 1],
  'GET /workspace/webhooks': [0, 0, 2, 1, 0],
  'GET /workspace/webhooks/{id}': [0, 0, 3, 1, 0],
  'PATCH /workspace/webhooks/{id}': [0, 0, 3, 0, 1],
  'DELETE /workspace/webhooks/{id}': [0, 0, 2, 1, 1],
  'POST /workspace/webhooks/{id}/rotate-secret': [0, 0, 3, 0, 1],
  'POST /workspace/webhooks/{id}/replay': [0, 0, 3, 0, 1],
  // A place in time is searched in each lane, by halving.
  'POST /workspace/webhooks/{id}/replay, from an event': [0, 0, 24, 0, 1],
  'POST /workspace/webhooks/{id}/backfill': [0, 0, 24, 0, 1],
  'GET /workspace/webhooks/{id}/deliveries': [0, 0, 3, 1, 0],
  'GET /auth/notice': [0, 0, 0, 0, 0],
  'POST /auth/login': [0, 0, 10, 5, 1, 1],
  'POST /auth/login, with MFA on': [0, 0, 7, 4, 1],
  'POST /auth/mfa': [1, 0, 10, 6, 2, 1],
  'POST /auth/refresh': [0, 0, 11, 2, 1, 1],
  'POST /auth/logout': [0, 0, 8, 1, 1],
  'POST /auth/step-up': [0, 0, 15, 5, 1, 1],
  'GET /auth/session': [0, 0, 11, 1, 0],
  'POST /auth/switch-workspace': [0, 0, 17, 2, 2, 1],
  'POST /auth/password': [0, 0, 12, 6, 1],
  'POST /auth/password/forgot': [0, 0, 6, 3, 1],
  'POST /auth/password/forgot, unknown address': [0, 0, 4, 5, 0],
  'POST /auth/password/reset': [0, 0, 6, 3, 1],
  'POST /auth/mfa/totp': [0, 1, 9, 4, 1],
  'POST /auth/mfa/totp/confirm': [1, 0, 13, 6, 2],
  'DELETE /auth/mfa/totp': [0, 0, 11, 1, 2],
  'POST /auth/mfa/backup-codes': [0, 0, 9, 4, 1],
  'GET /auth/sessions': [0, 0, 13, 2, 0],
  'DELETE /auth/sessions/{id}': [0, 0, 8, 1, 1],
  'POST /auth/sessions/revoke-all': [0, 0, 10, 2, 1],
  'POST /workspaces': [0, 0, 11, 2, 2],
  'GET /workspace': [0, 0, 2, 1, 0],
  'PATCH /workspace': [0, 0, 2, 0, 1],
  'DELETE /workspace': [0, 0, 18, 1, 2],
  'GET /workspace/plan': [0, 0, 9, 1, 0],
  // Without a role: a proof is three calls of the token service besides.
  'GET /workspace/secrets-sync': [0, 0, 3, 1, 0],
  'PUT /workspace/secrets-sync': [0, 0, 12, 1, 1],
  'DELETE /workspace/secrets-sync': [0, 0, 7, 1, 1],
  'POST /workspace/secrets-sync/bootstrap-key': [0, 0, 11, 1, 1],
  // Two rows at once are a transaction. What a key is tried with is in `core/encryption-keys/prove-key.ts`.
  'GET /workspace/encryption-key': [1, 1, 3, 0, 1],
  'PUT /workspace/encryption-key': [2, 5, 9, 2, 1],
  'DELETE /workspace/encryption-key': [0, 0, 8, 1, 1],
  'DELETE /workspace/encryption-key/previous': [0, 0, 8, 1, 1],
  'GET /workspace/members': [0, 0, 2, 1, 0],
  'PATCH /workspace/members/{userId}': [0, 0, 3, 0, 1],
  'DELETE /workspace/members/{userId}': [0, 0, 10, 0, 2],
  'DELETE /workspace/members/{userId}/sessions': [0, 0, 3, 0, 1],
  'POST /workspace/invitations': [0, 0, 6, 2, 1],
  'GET /workspace/invitations': [0, 0, 2, 1, 0],
  'DELETE /workspace/invitations/{id}': [0, 0, 2, 0, 1],
  'POST /invitations/accept': [0, 0, 10, 2, 2],
  'POST /invitations/accept, with an account': [0, 0, 13, 4, 2],
  'GET /.well-known/oauth-authorization-server': [0, 0, 0, 0, 0],
  'GET /.well-known/jwks.json': [0, 0, 0, 0, 0],
  'GET /oauth/authorize': [0, 0, 0, 0, 0],
  'GET /oauth/authorize, logged in': [0, 0, 11, 1, 0],
  'POST /oauth/authorize': [0, 0, 8, 1, 1],
  'POST /oauth/login': [0, 0, 10, 5, 1, 1],
  'POST /oauth/mfa': [1, 0, 10, 6, 2, 1],
  'POST /oauth/token, a code': [0, 0, 9, 3, 1, 1],
  'POST /oauth/token, a refresh token': [0, 0, 10, 2, 1, 1],
  'POST /oauth/revoke': [0, 0, 7, 2, 1],
  'GET /accept-invitation': [0, 0, 0, 0, 0],
  'POST /accept-invitation': [0, 0, 10, 2, 2],
  'GET /reset-password': [0, 0, 0, 0, 0],
  'POST /reset-password': [0, 0, 6, 3, 1],
  'POST /secrets/{id}/reveal, by a person': [1, 0, 7, 2, 0],
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
    const names = [
      'decrypts',
      'dataKeys',
      'reads',
      'writes',
      'transactions',
      'signatures',
      'objects',
    ] as const;
    const over = names.filter((spent, index) => (cost?.[spent] ?? 0) > (budget[index] ?? 0));
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
    expect(table).toContain('| `POST /secrets/{id}/reveal` |  | 200 | 1 | 0 | 0 | 2 | 1 | 0 | 0 | 2 | 1 |');
  });
});

import { ACCOUNT_ROUTE_CASES } from './account-route-cases.ts';
import { ALERT_ROUTE_CASES } from './alert-route-cases.ts';
import type { ApiCall } from './call-api.ts';
import { DETECTION_ROUTE_CASES } from './detection-route-cases.ts';
import { ENCRYPTION_KEY_ROUTE_CASES } from './encryption-key-route-cases.ts';
import { EVIDENCE_ROUTE_CASES } from './evidence-route-cases.ts';
import { FINDING_ROUTE_CASES } from './finding-route-cases.ts';
import { MEMBER_ROUTE_CASES } from './member-route-cases.ts';
import { OAUTH_ROUTE_CASES } from './oauth-route-cases.ts';
import { SECRETS_SYNC_ROUTE_CASES } from './secrets-sync-route-cases.ts';
import { WEBHOOK_ROUTE_CASES } from './webhook-route-cases.ts';
import { freshName, type Member, NAMESPACE, VALUE, type World } from './world.ts';

export interface RouteCase {
  readonly route: string;
  /** What sets this case apart from the route's plain one. */
  readonly when?: string;
  /** No API key comes through with it, though its route is not for people alone. */
  readonly onlyByPeople?: true;
  /** Gets ready, and gives the request, without credentials. `by` is who it is about, where that is a person. */
  readonly request: (world: World, by: Member) => Promise<Omit<ApiCall, 'method'>>;
}

const dotenv = (count: number): string =>
  Array.from({ length: count }, () => `${freshName()}=${VALUE}\n`).join('');
const importOf = (count: number) => ({
  path: '/secrets/import',
  json: { format: 'env', namespace: NAMESPACE, content: dotenv(count) },
});
const ofSecret =
  (suffix: string, rest: Omit<ApiCall, 'method' | 'path'> = {}) =>
  async (world: World) => ({ path: `/secrets/${await world.secret()}${suffix}`, ...rest });
const newKey = async (world: World): Promise<string> => {
  const json = { name: 'ci', role: 'viewer', namespaces: ['*'] };
  return String((await world.prepare({ method: 'POST', path: '/api-keys', json }))['id']);
};

const VAULT_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'GET /health', request: async () => ({ path: '/health' }) },
  { route: 'GET /openapi.json', request: async () => ({ path: '/openapi.json' }) },
  { route: 'GET /namespaces', request: async () => ({ path: '/namespaces' }) },
  { route: 'POST /namespaces', request: async () => ({ path: '/namespaces', json: { name: freshName() } }) },
  {
    route: 'DELETE /namespaces/{namespace}',
    request: async (world) => {
      const name = freshName();
      await world.prepare({ method: 'POST', path: '/namespaces', json: { name } });
      return { path: `/namespaces/${name}` };
    },
  },
  {
    route: 'POST /secrets',
    request: async () => ({
      path: '/secrets',
      json: { namespace: NAMESPACE, name: freshName(), value: VALUE },
    }),
  },
  {
    route: 'POST /secrets',
    when: 'with an Idempotency-Key',
    request: async () => ({
      path: '/secrets',
      json: { namespace: NAMESPACE, name: freshName(), value: VALUE },
      headers: { 'Idempotency-Key': freshName() },
    }),
  },
  {
    route: 'POST /secrets',
    when: 'repeated with its Idempotency-Key',
    request: async (world) => {
      const call = {
        path: '/secrets',
        json: { namespace: NAMESPACE, name: freshName(), value: VALUE },
        headers: { 'Idempotency-Key': freshName() },
      };
      await world.prepare({ method: 'POST', ...call });
      return call;
    },
  },
  { route: 'GET /secrets', request: async () => ({ path: '/secrets', query: { limit: '20' } }) },
  { route: 'GET /secrets/export', request: async () => ({ path: '/secrets/export' }) },
  { route: 'POST /secrets/import', when: '20 secrets', request: async () => importOf(20) },
  { route: 'POST /secrets/import', when: '60 secrets', request: async () => importOf(60) },
  { route: 'GET /secrets/{id}', request: ofSecret('') },
  { route: 'PATCH /secrets/{id}', request: ofSecret('', { json: { isCUI: true } }) },
  { route: 'DELETE /secrets/{id}', request: ofSecret('') },
  {
    route: 'DELETE /secrets/{id}',
    when: 'purge',
    request: async (world) => {
      const path = `/secrets/${await world.secret()}`;
      await world.prepare({ method: 'DELETE', path });
      return { path, query: { purge: 'true' } };
    },
  },
  {
    route: 'POST /secrets/{id}/restore',
    request: async (world) => {
      const path = `/secrets/${await world.secret()}`;
      await world.prepare({ method: 'DELETE', path });
      return { path: `${path}/restore` };
    },
  },
  { route: 'PUT /secrets/{id}/value', request: ofSecret('/value', { json: { value: VALUE } }) },
  { route: 'POST /secrets/{id}/reveal', request: ofSecret('/reveal') },
  {
    route: 'POST /secrets/{id}/reveal',
    when: 'an earlier version',
    request: async (world) => {
      const path = `/secrets/${await world.secret()}`;
      await world.prepare({ method: 'PUT', path: `${path}/value`, json: { value: VALUE } });
      return { path: `${path}/reveal`, json: { version: 1 } };
    },
  },
  {
    route: 'POST /secrets/reveal',
    when: '10 secrets',
    request: async (world) => {
      const ids: string[] = [];
      while (ids.length < 10) ids.push(await world.secret());
      return { path: '/secrets/reveal', json: { ids } };
    },
  },
  { route: 'GET /secrets/{id}/versions', request: ofSecret('/versions') },
  { route: 'POST /secrets/{id}/rollback', request: ofSecret('/rollback', { json: { version: 1 } }) },
  {
    route: 'GET /namespaces/{namespace}/secrets/{name}/value',
    request: async (world) => {
      const name = freshName();
      await world.secret(name);
      return { path: `/namespaces/${NAMESPACE}/secrets/${name}/value` };
    },
  },
  {
    route: 'GET /namespaces/{namespace}/secrets/{name}/value',
    when: 'not modified',
    request: async (world) => {
      const name = freshName();
      await world.secret(name);
      return {
        path: `/namespaces/${NAMESPACE}/secrets/${name}/value`,
        headers: { 'If-None-Match': '"v1"' },
      };
    },
  },
  {
    route: 'POST /api-keys',
    request: async () => ({ path: '/api-keys', json: { name: 'ci', role: 'viewer', namespaces: ['*'] } }),
  },
  { route: 'GET /api-keys', request: async () => ({ path: '/api-keys' }) },
  {
    route: 'POST /api-keys/{id}/rotate',
    request: async (world) => ({
      path: `/api-keys/${await newKey(world)}/rotate`,
      json: { overlapSeconds: 60 },
    }),
  },
  {
    route: 'DELETE /api-keys/{id}',
    request: async (world) => ({ path: `/api-keys/${await newKey(world)}` }),
  },
  { route: 'GET /audit', request: async () => ({ path: '/audit', query: { limit: '20' } }) },
  { route: 'GET /audit/export', request: async () => ({ path: '/audit/export' }) },
  {
    route: 'POST /audit/verify',
    when: 'of one past day',
    request: async () => ({ path: '/audit/verify', json: { from: '2020-01-01', to: '2020-01-01' } }),
  },
  { route: 'POST /audit/verifications', request: async () => ({ path: '/audit/verifications', json: {} }) },
  {
    route: 'GET /audit/verifications/{id}',
    request: async (world) => {
      const started = { method: 'POST', path: '/audit/verifications', json: {} } as const;
      return { path: `/audit/verifications/${(await world.prepare(started))['id']}` };
    },
  },
];

/** At least one successful request for every route of the API but `POST /setup`, which makes the world. */
export const ROUTE_CASES: readonly RouteCase[] = [
  ...VAULT_ROUTE_CASES,
  ...ACCOUNT_ROUTE_CASES,
  ...MEMBER_ROUTE_CASES,
  ...OAUTH_ROUTE_CASES,
  ...EVIDENCE_ROUTE_CASES,
  ...WEBHOOK_ROUTE_CASES,
  ...DETECTION_ROUTE_CASES,
  ...ALERT_ROUTE_CASES,
  ...FINDING_ROUTE_CASES,
  ...ENCRYPTION_KEY_ROUTE_CASES,
  ...SECRETS_SYNC_ROUTE_CASES,
];

import { setSecretsSync } from '../../core/secrets-sync/set-secrets-sync.ts';
import { owningPerson } from './encryption-key-route-cases.ts';
import type { RouteCase } from './route-cases.ts';
import { freshName, NAMESPACE } from './world.ts';

const PATH = '/workspace/secrets-sync';
const settings = { namespaces: [NAMESPACE] };

/** Copies of secrets in the Secrets Manager of the vault's own account: a role is nothing that a request waits for. */
export const SECRETS_SYNC_ROUTE_CASES: readonly RouteCase[] = [
  { route: `GET ${PATH}`, request: async () => ({ path: PATH }) },
  { route: `PUT ${PATH}`, request: async () => ({ path: PATH, json: settings }) },
  {
    route: `DELETE ${PATH}`,
    request: async ({ vault, workspaceId }) => {
      await setSecretsSync(vault, owningPerson(workspaceId), settings);
      return { path: PATH };
    },
  },
  {
    route: `POST ${PATH}/bootstrap-key`,
    request: async () => ({
      path: `${PATH}/bootstrap-key`,
      json: { name: freshName(), role: 'viewer', namespaces: ['*'] },
    }),
  },
];

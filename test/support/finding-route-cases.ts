import { noFacts } from '../../core/posture/facts.ts';
import { recordSnapshot } from '../../core/posture/record-snapshot.ts';
import type { RouteCase } from './route-cases.ts';
import type { World } from './world.ts';

const FINDING = { title: 'A copy of the key lies in the wiki', severity: 'high' };
const RISK = { title: 'The region is down', likelihood: 2, impact: 4, treatment: 'mitigate' };

async function made({ prepare }: World, path: string, json: object): Promise<string> {
  return String((await prepare({ method: 'POST', path, json }))['id']);
}

/** What has to be put right, the risk register, and the posture that both come from. */
export const FINDING_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'POST /findings', request: async () => ({ path: '/findings', json: FINDING }) },
  {
    route: 'GET /findings',
    request: async (world) => {
      await made(world, '/findings', FINDING);
      return { path: '/findings', query: { state: 'open' } };
    },
  },
  {
    route: 'GET /findings/{id}',
    request: async (world) => ({ path: `/findings/${await made(world, '/findings', FINDING)}` }),
  },
  {
    route: 'PATCH /findings/{id}',
    request: async (world) => ({
      path: `/findings/${await made(world, '/findings', FINDING)}`,
      json: { state: 'closed', reason: 'It is gone from there, and the key was rotated.' },
    }),
  },
  { route: 'POST /risks', request: async () => ({ path: '/risks', json: RISK }) },
  {
    route: 'GET /risks',
    request: async (world) => {
      await made(world, '/risks', RISK);
      return { path: '/risks' };
    },
  },
  {
    route: 'GET /risks/{id}',
    request: async (world) => ({ path: `/risks/${await made(world, '/risks', RISK)}` }),
  },
  {
    route: 'PATCH /risks/{id}',
    request: async (world) => ({
      path: `/risks/${await made(world, '/risks', RISK)}`,
      json: { likelihood: 1 },
    }),
  },
  {
    route: 'GET /workspace/posture',
    request: async ({ vault, workspaceId }) => {
      await recordSnapshot(vault, workspaceId, { from: vault.clock.now(), facts: noFacts() });
      return { path: '/workspace/posture' };
    },
  },
];

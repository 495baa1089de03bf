import type { ApiCall } from './call-api.ts';
import type { RouteCase } from './route-cases.ts';
import { sealLog } from './seal-log.ts';
import type { World } from './world.ts';

const sealed =
  (call: Omit<ApiCall, 'method'>) =>
  async ({ vault, workspaceId }: World): Promise<Omit<ApiCall, 'method'>> => {
    await sealLog(vault, workspaceId);
    return call;
  };

const SCHEDULE = '/workspace/evidence-schedule';
const monthly = { path: SCHEDULE, json: { every: 'month' } };

/** Requests for proofs, in a workspace whose rows so far are sealed; and the schedule of exports. */
export const EVIDENCE_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'GET /audit/checkpoint', request: sealed({ path: '/audit/checkpoint' }) },
  {
    route: 'GET /audit/proof/inclusion',
    request: sealed({ path: '/audit/proof/inclusion', query: { eventId: '0-1' } }),
  },
  {
    route: 'GET /audit/proof/consistency',
    request: sealed({ path: '/audit/proof/consistency', query: { from: '1' } }),
  },
  {
    route: 'GET /audit/evidence/event',
    request: sealed({ path: '/audit/evidence/event', query: { eventId: '0-1' } }),
  },
  {
    route: 'GET /audit/evidence',
    when: 'of all there is so far',
    request: sealed({ path: '/audit/evidence' }),
  },
  {
    route: 'GET /audit/evidence/rows',
    when: 'of all there is so far',
    request: sealed({ path: '/audit/evidence/rows' }),
  },
  { route: `GET ${SCHEDULE}`, request: async () => ({ path: SCHEDULE }) },
  { route: `PUT ${SCHEDULE}`, request: async () => monthly },
  {
    route: `DELETE ${SCHEDULE}`,
    request: async (world) => {
      await world.prepare({ method: 'PUT', ...monthly });
      return { path: SCHEDULE };
    },
  },
];

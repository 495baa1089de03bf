import type { RouteCase } from './route-cases.ts';

/** How the detectors of anomalies are set. */
export const DETECTION_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'GET /workspace/detection', request: async () => ({ path: '/workspace/detection' }) },
  {
    route: 'PATCH /workspace/detection',
    request: async () => ({
      path: '/workspace/detection',
      json: { detectors: { volume: { enabled: false } } },
    }),
  },
];

import type { ApiCall } from './call-api.ts';
import type { RouteCase } from './route-cases.ts';
import { freshName, type World } from './world.ts';

const newWebhook = () => ({ name: freshName(), url: 'https://siem.example.com/events' });

/** A webhook, after the one of an earlier case has made room. */
async function webhook({ prepare }: World): Promise<string> {
  const { items } = await prepare({ method: 'GET', path: '/workspace/webhooks' });
  for (const { id } of items as { readonly id: string }[]) {
    await prepare({ method: 'DELETE', path: `/workspace/webhooks/${id}` });
  }
  return String((await prepare({ method: 'POST', path: '/workspace/webhooks', json: newWebhook() }))['id']);
}

const ofWebhook =
  (suffix: string, rest: Omit<ApiCall, 'method' | 'path'> = {}) =>
  async (world: World) => ({ path: `/workspace/webhooks/${await webhook(world)}${suffix}`, ...rest });

/** Where audit events and alerts are sent. */
export const WEBHOOK_ROUTE_CASES: readonly RouteCase[] = [
  {
    route: 'POST /workspace/webhooks',
    request: async (world) => {
      await webhook(world);
      return { path: '/workspace/webhooks', json: newWebhook() };
    },
  },
  { route: 'GET /workspace/webhooks', request: async () => ({ path: '/workspace/webhooks' }) },
  { route: 'GET /workspace/webhooks/{id}', request: ofWebhook('') },
  { route: 'PATCH /workspace/webhooks/{id}', request: ofWebhook('', { json: { state: 'paused' } }) },
  { route: 'DELETE /workspace/webhooks/{id}', request: ofWebhook('') },
  { route: 'POST /workspace/webhooks/{id}/rotate-secret', request: ofWebhook('/rotate-secret') },
  { route: 'POST /workspace/webhooks/{id}/test', request: ofWebhook('/test') },
  { route: 'POST /workspace/webhooks/{id}/replay', request: ofWebhook('/replay') },
  {
    route: 'POST /workspace/webhooks/{id}/replay',
    when: 'from an event',
    request: ofWebhook('/replay', { json: { fromEventId: '0-1' } }),
  },
  {
    route: 'POST /workspace/webhooks/{id}/backfill',
    request: ofWebhook('/backfill', { json: { from: '2020-01-01' } }),
  },
  { route: 'GET /workspace/webhooks/{id}/deliveries', request: ofWebhook('/deliveries') },
];

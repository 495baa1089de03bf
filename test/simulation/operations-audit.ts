import type { Operation } from './operations.ts';
import { list } from './operations-secrets.ts';
import type { Client } from './team.ts';

const ACTIONS = ['secret.revealed', 'secret.created', 'authentication.failed'] as const;

/** Reading the audit trail, and having it verified. */
export const auditOperations: readonly Operation[] = [
  { name: 'list events', weight: 3, run: (client) => list(client, '/audit', eventFilter(client)) },
  { name: 'export events', weight: 2, run: (client) => list(client, '/audit/export', span(client)) },
  { name: 'verify', weight: 3, run: verify },
];

async function verify(client: Client): Promise<void> {
  const body = client.chance(50) ? {} : span(client);
  await client.ask(client.request('POST', '/audit/verify', { body }));
}

function eventFilter(client: Client): { readonly [name: string]: string } {
  switch (client.below(4)) {
    case 0:
      return { action: client.choose(ACTIONS) };
    case 1:
      return { entityId: client.secret().id };
    case 2:
      return { limit: '5', ...span(client) };
    default:
      return { limit: '3' };
  }
}

function span(client: Client): { readonly [name: string]: string } {
  const from = new Date(client.world.scheduler.now - client.below(20_000)).toISOString();
  return client.chance(50) ? { from } : { to: from };
}

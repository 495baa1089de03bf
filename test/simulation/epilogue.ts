import { send } from './client.ts';
import type { Sent } from './evidence.ts';
import type { Client } from './team.ts';

const LARGEST_BULK = 50;
const LARGEST_PAGE = '100';

/** Reads each workspace once nothing happens any more: what was acknowledged has to be there. Secrets always, and one of the rest. */
export async function readEverything(clients: readonly Client[]): Promise<void> {
  for (const client of clients) {
    const ids = await listAll(client, '/secrets', {});
    for (let start = 0; start < ids.length; start += LARGEST_BULK) {
      await read(client, 'POST', '/secrets/reveal', {
        body: { ids: ids.slice(start, start + LARGEST_BULK) },
      });
    }
    switch (client.below(3)) {
      case 0:
        await listAll(client, '/secrets', { deleted: 'true' });
        break;
      case 1:
        await listAll(client, '/api-keys', {});
        break;
      default:
        await read(client, 'GET', '/audit/export', {});
    }
  }
}

async function listAll(
  client: Client,
  path: string,
  filter: { readonly [name: string]: string },
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { ...filter, limit: LARGEST_PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const { items = [], nextCursor } = JSON.parse((await read(client, 'GET', path, { query })) ?? '{}');
    ids.push(...items.map(({ id }: { id: string }) => id));
    cursor = nextCursor ?? undefined;
  } while (cursor !== undefined);
  return ids;
}

async function read(
  client: Client,
  method: Sent['method'],
  path: string,
  rest: Partial<Sent>,
): Promise<string | undefined> {
  const { world, team } = client;
  const answer = await send(world, client.request(method, path, rest, team.auditor.token));
  if (answer?.status === 200) return answer.text;
  world.evidence.complaints.push(`${method} ${path} in the end: ${answer?.status ?? 'crashed'}`);
  return undefined;
}

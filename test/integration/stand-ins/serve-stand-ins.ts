import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type StandIn, toNodeListener } from '../../../local/stand-in.ts';

/** Serves stand-ins on a free port of 127.0.0.1, as the laptop run does. */
export async function serveStandIns(standIns: Record<string, StandIn>) {
  const listener = toNodeListener(standIns);
  const server = createServer(async (request, response) => {
    const handled = await listener(request, response);
    if (!handled) response.writeHead(404).end('no stand-in here');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close(): Promise<void> {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

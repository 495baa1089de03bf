import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { StartError } from './settings.ts';

/** Serves a request, or resolves to false and leaves it untouched for the next listener. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;

export interface Server {
  readonly port: number;
  /** Takes no more connections, waits for the requests under way (5 s at most), and frees the port. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 5_000;

/**
 * Serves HTTP on 127.0.0.1 by the first listener that takes a request; the last one must take all.
 *
 * @param port 0 for any free one. Throws StartError where it is taken.
 */
export async function openServer(port: number, listeners: readonly Listener[]): Promise<Server> {
  const server = createServer((request, response) => {
    // What fails out here is the connection: the client went away, or sent less than it had announced.
    serve(listeners, request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw refusal(port, cause);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return {
    port: address.port,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      const forceful = setTimeout(() => server.closeAllConnections(), STOP_LIMIT_MS);
      await closed;
      clearTimeout(forceful);
    },
  };
}

async function serve(
  listeners: readonly Listener[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!LOCAL_HOST.test(request.headers.host ?? '')) {
    response
      .writeHead(421, { 'Content-Type': 'text/plain' })
      .end('This server answers to 127.0.0.1 and localhost only.\n');
    return;
  }
  for (const listener of listeners) if (await listener(request, response)) return;
}

/** A web page whose name resolves to this machine could otherwise speak to the stand-ins (DNS rebinding). */
const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

function refusal(port: number, cause: unknown): Error {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') {
    return new StartError(
      `Port ${port} is taken: end the program that listens there, or choose another with LOCKZERO_PORT (0 for any).`,
      { cause },
    );
  }
  if (code === 'EACCES') {
    return new StartError(
      `Port ${port} needs privileges: choose one from 1024 up with LOCKZERO_PORT (0 for any).`,
      { cause },
    );
  }
  return new StartError(`Port ${port} cannot be opened: ${String(cause)}.`, { cause });
}

import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { StoryError } from './client.ts';

/** A CloudEvent of an alert channel, as far as the story reads it. */
export interface Message {
  readonly type: string;
  readonly data: { readonly entity: { readonly id: string } };
}

/** A program of the customer's that takes webhooks. */
export interface Receiver {
  readonly url: string;
  /** What requests are signed with; nothing is taken before it is known. */
  trust(secret: string): void;
  /** Waits for a message about an alert. Throws StoryError if none comes within half a minute. */
  about(alertId: string): Promise<Message>;
  close(): void;
}

const PATIENCE_MS = 30_000;
const MAX_AGE_SECONDS = 300;

/** Takes what is signed as Standard Webhooks 1.0.0 has it, and answers 401 to everything else. */
export async function openReceiver(): Promise<Receiver> {
  const messages: Message[] = [];
  const arrivals = new EventTarget();
  let key: Buffer | undefined;

  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (key === undefined || !isGenuine(key, request.headers, body)) {
      response.writeHead(401).end();
      return;
    }
    messages.push(JSON.parse(body.toString('utf8')) as Message);
    response.writeHead(204).end();
    arrivals.dispatchEvent(new Event('message'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');

  return {
    url: `http://127.0.0.1:${address.port}/alerts`,
    trust(secret) {
      key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    },
    async about(alertId) {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const find = () => messages.find(({ data }) => data.entity.id === alertId);
      for (let message = find(); ; message = find()) {
        if (message !== undefined) return message;
        await once(arrivals, 'message', { signal }).catch(() => {
          throw new StoryError(`Nothing that is rightly signed came about the alert ${alertId}.`);
        });
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Over the bytes as they came, in constant time, and not for what is older than five minutes. */
function isGenuine(key: Buffer, headers: IncomingHttpHeaders, body: Buffer): boolean {
  const [id, time, signatures] = ['id', 'timestamp', 'signature'].map((name) => headers[`webhook-${name}`]);
  if (!(Math.abs(Date.now() / 1000 - Number(time)) < MAX_AGE_SECONDS)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest();
  return String(signatures)
    .split(' ')
    .map((signature) => Buffer.from(signature.replace(/^v1,/, ''), 'base64'))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

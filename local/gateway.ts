import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { CRASHED, problemResult, RATE_LIMITED, TOO_LARGE } from './problem.ts';
import { addressOf, toProxyEvent } from './proxy-event.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Listener } from './server.ts';

export interface GatewayOptions {
  /** Calls the function behind it. */
  readonly invoke: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly rateLimit: RateLimit;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The quota "Payload size" of API Gateway: 10 MB. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024;

/**
 * What stands before the API function on AWS: the rate rule of the web ACL, and a REST API with Lambda proxy
 * integration that takes all media types for binary. Serves every request.
 */
export function createGateway({ invoke, rateLimit, now }: GatewayOptions): Listener {
  const answer = async (request: IncomingMessage, requestId: string): Promise<APIGatewayProxyResult> => {
    if (!rateLimit(addressOf(request))) return problemResult(RATE_LIMITED, requestId);
    const body = await readBody(request);
    if (body === undefined) return problemResult(TOO_LARGE, requestId);
    try {
      return checked(await invoke(toProxyEvent(request, body, { requestId, time: now() })));
    } catch (error) {
      console.error(`The API function crashed at request ${requestId}:`, error);
      return problemResult(CRASHED, requestId);
    }
  };
  return async (request, response) => {
    sendResult(await answer(request, randomUUID()), request, response);
    return true;
  };
}

/** The whole body, or nothing if it is over the limit. It is read to its end, so that the client gets to the answer. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined;
}

function checked(result: APIGatewayProxyResult): APIGatewayProxyResult {
  if (Number.isInteger(result?.statusCode) && typeof result.body === 'string') return result;
  throw new Error('The function gave no answer that API Gateway understands.');
}

/** Sends a function's answer; `multiValueHeaders` win over `headers` of the same name. */
export function sendResult(
  result: APIGatewayProxyResult,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  for (const [name, value] of Object.entries(result.headers ?? {})) response.setHeader(name, String(value));
  for (const [name, values] of Object.entries(result.multiValueHeaders ?? {})) {
    response.setHeader(name, values.map(String));
  }
  const body = Buffer.from(result.body, result.isBase64Encoded === true ? 'base64' : 'utf8');
  const hasBody = result.statusCode !== 204 && result.statusCode !== 304;
  response.writeHead(result.statusCode, hasBody ? { 'Content-Length': body.length } : {});
  response.end(hasBody && request.method !== 'HEAD' ? body : undefined);
}

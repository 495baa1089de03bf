import type { IncomingMessage, ServerResponse } from 'node:http';

/** One HTTP request as an AWS service sees it, whatever server carried it. */
export interface WireRequest {
  method: string;
  /** What follows the mount prefix, still percent-encoded, without the query; begins with "/". */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface WireResponse {
  status: number;
  headers: Record<string, string>;
  body: string | Buffer;
}

/** An AWS service on the wire: it answers every request, refusals included, and never rejects. */
export type StandIn = (request: WireRequest) => Promise<WireResponse>;

/** A refusal in the service's own words; each protocol spells it in its own way. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(code: string, message: string, status = 400, headers: Record<string, string> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.headers = headers;
  }
}

/** What a stand-in tells its client about an error that is no refusal: a fault of its own. */
export function toAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AwsError('InternalFailure', `The stand-in failed: ${reason}`, 500);
}

/**
 * Serves stand-ins below path prefixes such as `/_aws/kms`. The listener resolves to false, with the request
 * untouched, where no prefix fits, so that a server can try its other routes.
 */
export function toNodeListener(standIns: Record<string, StandIn>) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    const target = request.url ?? '/';
    const prefix = Object.keys(standIns).find((mount) => isBelow(mount, target));
    const standIn = prefix === undefined ? undefined : standIns[prefix];
    if (prefix === undefined || standIn === undefined) return false;

    const answer = await standIn(await toWireRequest(request, target.slice(prefix.length)));
    const length = { 'content-length': String(Buffer.byteLength(answer.body)) };
    response.writeHead(
      answer.status,
      answer.status === 204 ? answer.headers : { ...length, ...answer.headers },
    );
    response.end(request.method === 'HEAD' ? undefined : answer.body);
    return true;
  };
}

function isBelow(mount: string, target: string): boolean {
  return target.startsWith(mount) && /^[/?]|^$/.test(target.slice(mount.length));
}

/** Splits by hand: the URL class would resolve `..`, which is a legal part of an S3 key. */
async function toWireRequest(request: IncomingMessage, target: string): Promise<WireRequest> {
  const queryStart = target.indexOf('?');
  const path = queryStart === -1 ? target : target.slice(0, queryStart);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method ?? 'GET',
    path: path === '' ? '/' : path,
    query: new URLSearchParams(queryStart === -1 ? '' : target.slice(queryStart + 1)),
    headers,
    body: Buffer.concat(chunks),
  };
}

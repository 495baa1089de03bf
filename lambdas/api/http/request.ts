import { isUtf8 } from 'node:buffer';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { VaultError } from '../../../core/kernel/errors.ts';
import { parseJson } from '../../../core/kernel/parse-json.ts';

/** Bodies over this many bytes are refused with 413. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** An API Gateway REST proxy event, read once. */
export interface HttpRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** All values of a header, in order; names in any case. */
  readonly header: (name: string) => string | undefined;
  readonly query: { readonly [name: string]: readonly string[] };
  readonly ip: string;
  readonly userAgent: string;
  readonly body: Buffer;
}

export function readRequest(event: APIGatewayProxyEvent): HttpRequest {
  const headers = new Map<string, string[]>();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {}))
    headers.set(name.toLowerCase(), values ?? []);
  const header = (name: string): string | undefined => headers.get(name)?.join(', ');
  return {
    id: event.requestContext.requestId,
    method: event.httpMethod,
    path: event.path,
    header,
    query: Object.fromEntries(
      Object.entries(event.multiValueQueryStringParameters ?? {}).map(([name, values]) => [
        name,
        values ?? [],
      ]),
    ),
    ip: event.requestContext.identity.sourceIp,
    userAgent: header('user-agent') ?? '',
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}

/**
 * The JSON in a request's body, or `undefined` for an empty one.
 *
 * @throws VaultError `payload_too_large`, `unsupported_media_type` or `malformed_json`
 */
export function readJsonBody(request: HttpRequest): unknown {
  const { body } = request;
  if (body.length === 0) return undefined;
  if (body.length > MAX_BODY_BYTES) {
    throw new VaultError(
      'payload_too_large',
      `The body has ${body.length} bytes; at most ${MAX_BODY_BYTES} are taken.`,
    );
  }
  const [mediaType = '', ...parameters] = (request.header('content-type') ?? '')
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.toLowerCase().startsWith('charset='))
    ?.slice('charset='.length);
  if (
    mediaType.toLowerCase() !== 'application/json' ||
    (charset ?? 'utf-8').toLowerCase().replaceAll('"', '') !== 'utf-8'
  ) {
    throw new VaultError(
      'unsupported_media_type',
      'Send the body as "Content-Type: application/json", in UTF-8.',
    );
  }
  if (!isUtf8(body)) throw new VaultError('malformed_json', 'The body is not valid UTF-8.');
  return parseJson(body.toString('utf8'));
}

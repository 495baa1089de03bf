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
  /** The client's country, ISO 3166-1 alpha-2, where a trusted edge tells it. */
  readonly country?: string | undefined;
  readonly body: Buffer;
}

/**
 * @param countryHeader the header in which a trusted edge tells the country. Without one, no header tells it: any client
 * could set it.
 */
export function readRequest(event: APIGatewayProxyEvent, countryHeader?: string): HttpRequest {
  const headers = new Map<string, string[]>();
  for (const [name, values] of Object.entries(event.multiValueHeaders ?? {}))
    headers.set(name.toLowerCase(), values ?? []);
  // Cookies are joined by a semicolon (RFC 9113 section 8.2.3), everything else by a comma.
  const header = (name: string): string | undefined =>
    headers.get(name)?.join(name === 'cookie' ? '; ' : ', ');
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
    country: countryHeader === undefined ? undefined : readCountry(header(countryHeader)),
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
  };
}

/** CloudFront has XX where it does not know the country, and T1 for Tor. ZZ is no country either. */
const NO_COUNTRY: ReadonlySet<string> = new Set(['XX', 'ZZ']);

function readCountry(header: string | undefined): string | undefined {
  return header !== undefined && /^[A-Z]{2}$/.test(header) && !NO_COUNTRY.has(header) ? header : undefined;
}

/**
 * The JSON in a request's body, or `undefined` for an empty one.
 *
 * @throws VaultError `payload_too_large`, `unsupported_media_type` or `malformed_json`
 */
export function readJsonBody(request: HttpRequest): unknown {
  if (request.body.length === 0) return undefined;
  return parseJson(readText(request, 'application/json'));
}

/**
 * The fields of a form in a request's body, with all values of each; empty for an empty body.
 *
 * @throws VaultError `payload_too_large`, `unsupported_media_type` or `malformed_json` for what is not UTF-8.
 */
export function readFormBody(request: HttpRequest): { readonly [name: string]: readonly string[] } {
  if (request.body.length === 0) return {};
  const fields = new URLSearchParams(readText(request, 'application/x-www-form-urlencoded'));
  return Object.fromEntries([...new Set(fields.keys())].map((name) => [name, fields.getAll(name)]));
}

/** The body as text, if it has the one media type that is wanted. */
function readText(request: HttpRequest, wanted: string): string {
  const { body } = request;
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
    mediaType.toLowerCase() !== wanted ||
    (charset ?? 'utf-8').toLowerCase().replaceAll('"', '') !== 'utf-8'
  ) {
    throw new VaultError('unsupported_media_type', `Send the body as "Content-Type: ${wanted}", in UTF-8.`);
  }
  if (!isUtf8(body)) throw new VaultError('malformed_json', 'The body is not valid UTF-8.');
  return body.toString('utf8');
}

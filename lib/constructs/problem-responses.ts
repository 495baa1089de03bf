import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';

/** The headers of every response, here for those which never reach the function. A test holds both lists together. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'Cache-Control': 'no-store',
};

/** A problem document (RFC 9457) that is decided before any function runs. `type` about:blank: the title is the status's own. */
export interface EdgeProblem {
  readonly status: number;
  readonly title: string;
  readonly code: string;
  readonly detail: string;
  /** Whole seconds for `Retry-After`. */
  readonly retryAfter?: number;
}

const BAD_REQUEST: EdgeProblem = {
  status: 400,
  title: 'Bad Request',
  code: 'invalid_request',
  detail: 'The request could not be read. Check its path, headers and body.',
};
const UNAUTHENTICATED: EdgeProblem = {
  status: 401,
  title: 'Unauthorized',
  code: 'unauthenticated',
  detail: 'Send a valid API key as "Authorization: Bearer lz_…".',
};
const FORBIDDEN: EdgeProblem = {
  status: 403,
  title: 'Forbidden',
  code: 'forbidden',
  detail: 'The request was refused before it reached the vault.',
};
const NOT_FOUND: EdgeProblem = {
  status: 404,
  title: 'Not Found',
  code: 'not_found',
  detail: 'There is nothing at this path.',
};
const TOO_LARGE: EdgeProblem = {
  status: 413,
  title: 'Content Too Large',
  code: 'payload_too_large',
  detail: 'The request body is larger than the vault accepts.',
};
const UNSUPPORTED: EdgeProblem = {
  status: 415,
  title: 'Unsupported Media Type',
  code: 'unsupported_media_type',
  detail: 'Send the body as application/json.',
};
const THROTTLED: EdgeProblem = {
  status: 429,
  title: 'Too Many Requests',
  code: 'rate_limited',
  detail: 'The vault is receiving more requests than it accepts. Wait as long as Retry-After says.',
  retryAfter: 1,
};
const INTERNAL: EdgeProblem = {
  status: 500,
  title: 'Internal Server Error',
  code: 'internal',
  detail: 'The request failed inside the vault. Quote the requestId to its operator.',
};
const UNAVAILABLE: EdgeProblem = {
  status: 503,
  title: 'Service Unavailable',
  code: 'unavailable',
  detail:
    'The vault did not answer in time. Repeat the request; where it creates something, with the same Idempotency-Key.',
  retryAfter: 2,
};

/** What the rate rule of the web ACL answers. Its window is 60 seconds. */
export const RATE_LIMITED: EdgeProblem = {
  status: 429,
  title: 'Too Many Requests',
  code: 'rate_limited',
  detail: 'This address sends more requests than a minute allows. Wait a minute.',
  retryAfter: 60,
};

/**
 * Every response that API Gateway can make by itself. The defaults must name one status too, since the body repeats
 * it; so each type whose status differs from its default's stands here by name.
 */
const RESPONSES: ReadonlyArray<readonly [ResponseType, EdgeProblem]> = [
  [ResponseType.DEFAULT_4XX, BAD_REQUEST],
  [ResponseType.DEFAULT_5XX, INTERNAL],
  [ResponseType.ACCESS_DENIED, FORBIDDEN],
  [ResponseType.EXPIRED_TOKEN, UNAUTHENTICATED],
  [ResponseType.INTEGRATION_FAILURE, UNAVAILABLE],
  [ResponseType.INTEGRATION_TIMEOUT, UNAVAILABLE],
  [ResponseType.INVALID_API_KEY, UNAUTHENTICATED],
  [ResponseType.INVALID_SIGNATURE, UNAUTHENTICATED],
  // What API Gateway says when no method matches: here every path and method is the function's, so it is a path astray.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, NOT_FOUND],
  [ResponseType.QUOTA_EXCEEDED, THROTTLED],
  [ResponseType.REQUEST_TOO_LARGE, TOO_LARGE],
  [ResponseType.RESOURCE_NOT_FOUND, NOT_FOUND],
  [ResponseType.THROTTLED, THROTTLED],
  [ResponseType.UNAUTHORIZED, UNAUTHENTICATED],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED],
  [ResponseType.WAF_FILTERED, FORBIDDEN],
];

/** The problem as JSON. `requestId` is left out where there is none to give. */
export function problemBody(problem: EdgeProblem, requestId?: string): string {
  const { title, status, detail, code } = problem;
  return JSON.stringify({ type: 'about:blank', title, status, detail, code, requestId });
}

/** Makes the gateway's own errors look like the vault's: problem documents with the security headers. */
export function addProblemResponses(api: RestApi): void {
  for (const [type, problem] of RESPONSES) {
    api.addGatewayResponse(`Problem${type.responseType}`, {
      type,
      statusCode: String(problem.status),
      responseHeaders: {
        ...quoted(SECURITY_HEADERS),
        // The template stands under application/json, which API Gateway uses whatever the client accepts.
        'Content-Type': "'application/problem+json'",
        'X-Request-Id': 'context.requestId',
        ...(problem.status === 401 ? quoted({ 'WWW-Authenticate': 'Bearer realm="lockzero"' }) : {}),
        ...(problem.retryAfter === undefined ? {} : quoted({ 'Retry-After': String(problem.retryAfter) })),
      },
      templates: { 'application/json': problemBody(problem, '$context.requestId') },
    });
  }
}

/** API Gateway takes a static value in single quotes. */
function quoted(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, `'${value}'`]));
}

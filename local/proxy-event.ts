import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEvent } from 'aws-lambda';

/**
 * A request as API Gateway gives it to a Lambda function: the proxy event of a REST API (API Gateway Developer Guide,
 * "Input format of a Lambda function for proxy integration"). The path stays percent-encoded, the query is decoded,
 * the last of repeated headers and parameters stands in the single-value maps, and the body is base64, since the
 * deployed API takes all media types for binary.
 */
export function toProxyEvent(
  request: IncomingMessage,
  body: Buffer,
  { requestId, time }: { readonly requestId: string; readonly time: number },
): APIGatewayProxyEvent {
  const { path, query } = splitTarget(request.url ?? '/');
  const httpMethod = request.method ?? 'GET';
  const headers = headerPairs(request.rawHeaders);
  const parameters = [...new URLSearchParams(query)];
  const resource = path === '/' ? '/' : '/{proxy+}';
  return {
    resource,
    path,
    httpMethod,
    headers: Object.fromEntries(headers),
    multiValueHeaders: grouped(headers),
    queryStringParameters: parameters.length === 0 ? null : Object.fromEntries(parameters),
    multiValueQueryStringParameters: parameters.length === 0 ? null : grouped(parameters),
    pathParameters: path === '/' ? null : { proxy: path.slice(1) },
    stageVariables: null,
    body: body.length === 0 ? null : body.toString('base64'),
    isBase64Encoded: true,
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      authorizer: null,
      protocol: `HTTP/${request.httpVersion}`,
      httpMethod,
      identity: {
        ...ANONYMOUS,
        sourceIp: addressOf(request),
        userAgent: request.headers['user-agent'] ?? null,
      },
      path,
      stage: 'local',
      requestId,
      requestTimeEpoch: time,
      resourceId: 'local',
      resourcePath: resource,
    },
  };
}

/** The client's address as its socket has it. An IPv4 address in IPv6 form (RFC 4291 section 2.5.5.2) is told as IPv4. */
export function addressOf({ socket }: IncomingMessage): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/i, '');
}

/** API Gateway knows the caller by address and user agent only; none of AWS's own authorizers is in use. */
const ANONYMOUS = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
};

/** By hand: the URL class would resolve `..` and change escapes. */
function splitTarget(target: string): { path: string; query: string } {
  const start = target.indexOf('?');
  return start === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, start), query: target.slice(start + 1) };
}

/** Node gives names and values in turn. */
function headerPairs(rawHeaders: readonly string[]): [string, string][] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] satisfies [string, string]] : [],
  );
}

function grouped(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [name, value] of pairs) groups.set(name, [...(groups.get(name) ?? []), value]);
  return Object.fromEntries(groups);
}

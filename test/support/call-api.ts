import type { APIGatewayProxyEvent } from 'aws-lambda';
import { problemResponse, toVaultError } from '../../lambdas/api/http/problem.ts';
import { readRequest } from '../../lambdas/api/http/request.ts';
import type { ApiResponse, Route } from '../../lambdas/api/http/route.ts';
import { routes } from '../../lambdas/api/routes/index.ts';
import { serve } from '../../lambdas/api/serve.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';

/** One request to the API; what is left out is as a plain client sends it. */
export interface ApiCall {
  readonly method: string;
  readonly path: string;
  /** An API key's token. */
  readonly token?: string;
  readonly headers?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: string | readonly string[] };
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string;
  readonly ip?: string;
}

/** The REST proxy event of API Gateway, as far as the handler looks at it. */
export function apiEvent(call: ApiCall): APIGatewayProxyEvent {
  const { method, path, token, json, ip = '203.0.113.7' } = call;
  const headers = {
    'User-Agent': 'test',
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...call.headers,
  };
  return {
    httpMethod: method,
    path,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    multiValueQueryStringParameters: Object.fromEntries(
      Object.entries(call.query ?? {}).map(([name, value]) => [name, [value].flat()]),
    ),
    body: call.body ?? (json === undefined ? null : JSON.stringify(json)),
    isBase64Encoded: false,
    requestContext: { requestId: 'request-1', identity: { sourceIp: ip } },
  } as unknown as APIGatewayProxyEvent;
}

/** Serves one request within this process, errors as problem documents, as the handler does. */
export async function callApi(
  vault: Vault,
  call: ApiCall,
  table: readonly Route[] = routes,
): Promise<ApiResponse> {
  const request = readRequest(apiEvent(call));
  try {
    return await serve(vault, table, request);
  } catch (error) {
    return problemResponse(toVaultError(error), request.id);
  }
}

/** The code of a problem document, or `undefined` for an answer that is none. */
export function problemCode({ status, text }: ApiResponse): string | undefined {
  return status < 400 || text === undefined ? undefined : (JSON.parse(text) as { code: string }).code;
}

import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiResponse } from './route.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** An answer as API Gateway wants it, with the headers that every answer has. */
export function toResult(
  { status, headers, json, text, cookies }: ApiResponse,
  requestId: string,
): APIGatewayProxyResult {
  return {
    statusCode: status,
    headers: {
      ...SECURITY_HEADERS,
      'X-Request-Id': requestId,
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(cookies === undefined ? {} : { multiValueHeaders: { 'Set-Cookie': [...cookies] } }),
    body: json === undefined ? (text ?? '') : JSON.stringify(json),
  };
}

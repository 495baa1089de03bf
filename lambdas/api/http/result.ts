import type { APIGatewayProxyResult } from 'aws-lambda';
import type { ApiResponse } from './route.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** An answer as API Gateway wants it, with the headers that every answer has. */
export function toResult(response: ApiResponse, requestId: string): APIGatewayProxyResult {
  const { status, headers, json, cookies } = response;
  return {
    statusCode: status,
    headers: {
      ...SECURITY_HEADERS,
      'X-Request-Id': requestId,
      ...(json === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(cookies === undefined ? {} : { multiValueHeaders: { 'Set-Cookie': [...cookies] } }),
    ...bodyOf(response),
  };
}

/** API Gateway takes text as it is, and anything else in base64. */
function bodyOf({ json, text, bytes }: ApiResponse): { body: string; isBase64Encoded?: boolean } {
  if (json !== undefined) return { body: JSON.stringify(json) };
  if (bytes === undefined) return { body: text ?? '' };
  return { body: Buffer.from(bytes).toString('base64'), isBase64Encoded: true };
}

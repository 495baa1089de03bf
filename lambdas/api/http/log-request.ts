import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { logger } from '../../shared/logger.ts';

/** One line for each request: what was asked and how it ended. The path holds ids and names only; no query, no body. */
export function logRequest(): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  const started = new WeakMap<object, number>();
  const log = (request: {
    event: APIGatewayProxyEvent;
    response?: APIGatewayProxyResult | null | undefined;
  }): void => {
    const { requestContext, httpMethod: method, path } = request.event;
    logger.info('request', {
      requestId: requestContext.requestId,
      method,
      path: path.slice(0, MAX_PATH),
      status: request.response?.statusCode,
      milliseconds: Math.round(performance.now() - (started.get(request.event) ?? 0)),
      ip: requestContext.identity.sourceIp,
    });
  };
  return {
    before: (request) => {
      started.set(request.event, performance.now());
    },
    after: (request) => log(request),
    onError: (request) => log(request),
  };
}

const MAX_PATH = 300;

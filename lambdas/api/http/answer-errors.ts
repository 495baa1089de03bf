import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { VaultError } from '../../../core/kernel/errors.ts';
import { logger } from '../../shared/logger.ts';
import { problemResponse, statusOf, toVaultError } from './problem.ts';
import { toResult } from './result.ts';

/** Turns whatever was thrown into a problem document; faults on our side are logged with their cause. */
export function answerErrors(): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  return {
    onError: (request) => {
      const error = toVaultError(request.error);
      const { requestId } = request.event.requestContext;
      logFault(error, requestId);
      request.response = toResult(problemResponse(error, requestId), requestId);
    },
  };
}

/** Logs a fault on our side with its cause. What the caller did wrong is no fault of ours. */
export function logFault(error: VaultError, requestId: string): void {
  if (statusOf(error.code) < 500) return;
  const { name, message } = error.cause instanceof Error ? error.cause : error;
  logger.error('The request failed', {
    requestId,
    code: error.code,
    causeName: name,
    causeMessage: message,
  });
}

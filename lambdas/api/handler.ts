import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { composeVault } from '../shared/compose-vault.ts';
import { readEnv } from '../shared/env.ts';
import { answerErrors } from './http/answer-errors.ts';
import { logRequest } from './http/log-request.ts';
import { readRequest } from './http/request.ts';
import { toResult } from './http/result.ts';
import { routes } from './routes/index.ts';
import { serve } from './serve.ts';

const env = readEnv();
const vault = composeVault(env);

/** The HTTP API, behind API Gateway's Lambda proxy integration. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(logRequest())
  .use(answerErrors())
  .handler(async (event) => {
    const request = readRequest(event, env.COUNTRY_HEADER);
    return toResult(await serve(vault, routes, request), request.id);
  });

import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { JobName } from './jobs.ts';
import { invoke } from './lambda.ts';

/** The functions of the vault, to be called as Lambda calls them. */
export interface Functions {
  readonly api: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly jobs: Readonly<Record<JobName, () => Promise<unknown>>>;
}

/** Imports the functions, which read their environment at that moment, once. */
export async function importFunctions(): Promise<Functions> {
  const [api, tally, verifier, purge] = await Promise.all([
    import('../lambdas/api/handler.ts'),
    import('../lambdas/tally/handler.ts'),
    import('../lambdas/verifier/handler.ts'),
    import('../lambdas/purge/handler.ts'),
  ]);
  return {
    api: (event) => invoke('api', api.handler, event),
    jobs: {
      tally: () => invoke('tally', tally.handler, {}),
      verifier: () => invoke('verifier', verifier.handler, {}),
      purge: () => invoke('purge', purge.handler, {}),
    },
  };
}

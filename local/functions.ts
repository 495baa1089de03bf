import type { APIGatewayProxyEvent, APIGatewayProxyResult, DynamoDBStreamEvent } from 'aws-lambda';
import type { JobName } from './jobs.ts';
import { invoke, type LambdaHandler } from './lambda.ts';

/** The functions of the vault, to be called as Lambda calls them. */
export interface Functions {
  readonly api: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly dispatcher: (event: DynamoDBStreamEvent) => Promise<unknown>;
  readonly guard: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** The schedule's event is `{}`; some functions are woken by others as well. */
  readonly jobs: Readonly<Record<JobName, (event: unknown) => Promise<unknown>>>;
}

const MINUTE = 60;

/** Imports the functions, which read their environment at that moment, once. */
export async function importFunctions(): Promise<Functions> {
  const [api, dispatcher, guard, sealer, deliverer, tally, verifier, archiver, retention, purge] =
    await Promise.all([
      import('../lambdas/api/handler.ts'),
      import('../lambdas/dispatcher/handler.ts'),
      import('../lambdas/guard/handler.ts'),
      import('../lambdas/sealer/handler.ts'),
      import('../lambdas/deliverer/handler.ts'),
      import('../lambdas/tally/handler.ts'),
      import('../lambdas/verifier/handler.ts'),
      import('../lambdas/archiver/handler.ts'),
      import('../lambdas/retention/handler.ts'),
      import('../lambdas/purge/handler.ts'),
    ]);
  const job =
    (name: JobName, handler: LambdaHandler<unknown, unknown>, timeoutSeconds: number) => (event: unknown) =>
      invoke(name, handler, event, timeoutSeconds);
  return {
    api: (event) => invoke('api', api.handler, event, 28),
    dispatcher: (event) => invoke('dispatcher', dispatcher.handler, event, MINUTE),
    guard: (event) => invoke('guard', guard.handler, event, 5 * MINUTE),
    jobs: {
      sealer: job('sealer', sealer.handler, 15 * MINUTE),
      deliverer: job('deliverer', deliverer.handler, 90),
      tally: job('tally', tally.handler, 50),
      verifier: job('verifier', verifier.handler, 15 * MINUTE),
      archiver: job('archiver', archiver.handler, 15 * MINUTE),
      retention: job('retention', retention.handler, 15 * MINUTE),
      purge: job('purge', purge.handler, 15 * MINUTE),
    },
  };
}

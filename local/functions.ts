import type { APIGatewayProxyEvent, APIGatewayProxyResult, DynamoDBStreamEvent } from 'aws-lambda';
import { JOB_NAMES, ON_ORDER, type RunnableName } from './jobs.ts';
import { invoke, type LambdaHandler } from './lambda.ts';

/** The functions of the vault, to be called as Lambda calls them. */
export interface Functions {
  readonly api: (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;
  readonly dispatcher: (event: DynamoDBStreamEvent) => Promise<unknown>;
  readonly guard: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** The schedule's event is `{}`; some functions are woken by others as well, or by nobody but an operator. */
  readonly jobs: Readonly<Record<RunnableName, (event: unknown) => Promise<unknown>>>;
}

const MINUTE = 60;

/** Imports the functions, which read their environment at that moment, once. */
export async function importFunctions(): Promise<Functions> {
  const [api, dispatcher, guard, jobs] = await Promise.all([
    import('../lambdas/api/handler.ts'),
    import('../lambdas/dispatcher/handler.ts'),
    import('../lambdas/guard/handler.ts'),
    importJobs(),
  ]);
  return {
    api: (event) => invoke('api', api.handler, event, 28),
    dispatcher: (event) => invoke('dispatcher', dispatcher.handler, event, MINUTE),
    guard: (event) => invoke('guard', guard.handler, event, 5 * MINUTE),
    jobs,
  };
}

interface Job {
  readonly load: () => Promise<{ readonly handler: LambdaHandler<unknown, unknown> }>;
  readonly timeoutSeconds: number;
}

const JOBS: Readonly<Record<RunnableName, Job>> = {
  sealer: { load: () => import('../lambdas/sealer/handler.ts'), timeoutSeconds: 15 * MINUTE },
  deliverer: { load: () => import('../lambdas/deliverer/handler.ts'), timeoutSeconds: 90 },
  tally: { load: () => import('../lambdas/tally/handler.ts'), timeoutSeconds: 50 },
  verifier: { load: () => import('../lambdas/verifier/handler.ts'), timeoutSeconds: 15 * MINUTE },
  archiver: { load: () => import('../lambdas/archiver/handler.ts'), timeoutSeconds: 15 * MINUTE },
  retention: { load: () => import('../lambdas/retention/handler.ts'), timeoutSeconds: 15 * MINUTE },
  purge: { load: () => import('../lambdas/purge/handler.ts'), timeoutSeconds: 15 * MINUTE },
  anomaly: { load: () => import('../lambdas/anomaly/handler.ts'), timeoutSeconds: 5 * MINUTE },
  backup: { load: () => import('../lambdas/backup/handler.ts'), timeoutSeconds: 2 * MINUTE },
  'backup-check': { load: () => import('../lambdas/backup-check/handler.ts'), timeoutSeconds: 5 * MINUTE },
  probe: { load: () => import('../lambdas/probe/handler.ts'), timeoutSeconds: 2 * MINUTE },
  snapshot: { load: () => import('../lambdas/snapshot/handler.ts'), timeoutSeconds: 15 * MINUTE },
  'access-review': {
    load: () => import('../lambdas/access-review/handler.ts'),
    timeoutSeconds: 15 * MINUTE,
  },
  reconciler: { load: () => import('../lambdas/reconciler/handler.ts'), timeoutSeconds: 15 * MINUTE },
  'ct-monitor': { load: () => import('../lambdas/ct-monitor/handler.ts'), timeoutSeconds: 5 * MINUTE },
  rewrapper: { load: () => import('../lambdas/rewrapper/handler.ts'), timeoutSeconds: 5 * MINUTE },
  syncer: { load: () => import('../lambdas/syncer/handler.ts'), timeoutSeconds: 5 * MINUTE },
  'evidence-export': {
    load: () => import('../lambdas/evidence-export/handler.ts'),
    timeoutSeconds: 15 * MINUTE,
  },
  'assign-plan': { load: () => import('../lambdas/assign-plan/handler.ts'), timeoutSeconds: MINUTE },
};

async function importJobs(): Promise<Functions['jobs']> {
  const entries = await Promise.all(
    [...JOB_NAMES, ...ON_ORDER].map(
      async (name): Promise<[RunnableName, (event: unknown) => Promise<unknown>]> => {
        const { load, timeoutSeconds } = JOBS[name];
        const { handler } = await load();
        return [name, (event) => invoke(name, handler, event, timeoutSeconds)];
      },
    ),
  );
  return Object.fromEntries(entries) as Functions['jobs'];
}

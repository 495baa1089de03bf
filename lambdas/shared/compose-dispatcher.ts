import { createSqsQueue } from '../../aws/sqs-queue.ts';
import { type Env, required } from './env.ts';

export { readNewRow } from '../../aws/stream-rows.ts';

/** The queues that wake the sealer and the deliverer. */
export function composeQueues(env: Env) {
  return [
    createSqsQueue(required(env, 'SEAL_QUEUE_URL')),
    createSqsQueue(required(env, 'DELIVERY_QUEUE_URL')),
  ];
}

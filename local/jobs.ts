import { randomUUID } from 'node:crypto';
import { toResult } from '../lambdas/api/http/result.ts';
import { sendResult } from './gateway.ts';
import { CRASHED, problemResult } from './problem.ts';
import type { Listener } from './server.ts';

export const JOB_NAMES = ['tally', 'verifier', 'purge'] as const;

/** The functions that AWS runs by the clock. */
export type JobName = (typeof JOB_NAMES)[number];

/** Runs a job's function once and gives its result. */
export type RunJob = (name: JobName) => Promise<unknown>;

/** Runs a job out of turn at `POST /_jobs/<name>` and answers its result as JSON. */
export function createJobListener(runJob: RunJob): Listener {
  return async (request, response) => {
    const name = JOB_NAMES.find((job) => request.url === `/_jobs/${job}`);
    if (name === undefined || request.method !== 'POST') return false;
    const requestId = randomUUID();
    const result = await runJob(name).then(
      (json) => toResult({ status: 200, json }, requestId),
      (error: unknown) => {
        logFailure(name, error);
        return problemResult(CRASHED, requestId);
      },
    );
    sendResult(result, request, response);
    return true;
  };
}

export function logFailure(name: JobName, error: unknown): void {
  console.error(`The job ${name} failed:`, error);
}

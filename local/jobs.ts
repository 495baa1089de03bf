import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { toResult } from '../lambdas/api/http/result.ts';
import { sendResult } from './gateway.ts';
import { CRASHED, type EdgeProblem, problemResult } from './problem.ts';
import type { Listener } from './server.ts';

export const JOB_NAMES = [
  'tally',
  'sealer',
  'deliverer',
  'verifier',
  'archiver',
  'retention',
  'purge',
] as const;

/** The functions that AWS runs by the clock. */
export type JobName = (typeof JOB_NAMES)[number];

/** Runs a job's function once, with the schedule's event `{}` unless another is given, and gives its result. */
export type RunJob = (name: JobName, event?: unknown) => Promise<unknown>;

export interface JobsOptions {
  readonly runJob: RunJob;
  /** Hands over what waits in streams and queues, until nothing does. */
  readonly pump: () => Promise<void>;
}

const NO_JSON: EdgeProblem = {
  status: 400,
  title: 'Bad Request',
  code: 'malformed_json',
  detail: 'The event of a job is JSON: send {} or nothing for what the schedule sends.',
};

/**
 * Runs a job out of turn at `POST /_jobs/<name>`, with the body as its event, and answers its result as JSON. At
 * `POST /_pump` answers once all that was written has had its effect.
 */
export function createJobListener({ runJob, pump }: JobsOptions): Listener {
  const answer = async (request: IncomingMessage, requestId: string) => {
    const name = JOB_NAMES.find((job) => request.url === `/_jobs/${job}`);
    const event = parseEvent(await text(request));
    if (event === undefined) return problemResult(NO_JSON, requestId);
    try {
      const json = name === undefined ? await pump().then(() => ({})) : await runJob(name, event);
      return toResult({ status: 200, json }, requestId);
    } catch (error) {
      console.error(`POST ${request.url} failed:`, error);
      return problemResult(CRASHED, requestId);
    }
  };
  const paths = new Set([...JOB_NAMES.map((job) => `/_jobs/${job}`), '/_pump']);
  return async (request, response) => {
    if (request.method !== 'POST' || !paths.has(request.url ?? '')) return false;
    sendResult(await answer(request, randomUUID()), request, response);
    return true;
  };
}

/** The event in a body; undefined where it is not JSON. */
function parseEvent(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    return undefined;
  }
}

export function logFailure(name: JobName, error: unknown): void {
  console.error(`The job ${name} failed:`, error);
}

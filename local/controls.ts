import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { toResult } from '../lambdas/api/http/result.ts';
import { sendResult } from './gateway.ts';
import { JOB_NAMES, ON_ORDER, type RunFunction } from './jobs.ts';
import { CRASHED, type EdgeProblem, problemResult } from './problem.ts';
import type { Listener } from './server.ts';

export interface ControlsOptions {
  readonly runJob: RunFunction;
  /** Hands over what waits in streams and queues, until nothing does. */
  readonly pump: () => Promise<void>;
  /** Moves time on, in milliseconds. */
  readonly advance: (milliseconds: number) => void;
}

const NO_JSON: EdgeProblem = {
  status: 400,
  title: 'Bad Request',
  code: 'malformed_json',
  detail: 'The event of a job is JSON: send {} or nothing for what the schedule sends.',
};

const NO_MINUTES: EdgeProblem = {
  status: 400,
  title: 'Bad Request',
  code: 'invalid_request',
  detail: 'Time goes forward only, by up to a year at once: send {"minutes": 90}.',
};

const MINUTE_MS = 60_000;
const YEAR_MINUTES = 365 * 24 * 60;

/** Does what the body asks for, and gives the answer. */
type Control = (body: unknown) => Promise<unknown> | EdgeProblem;

/**
 * What a developer does to the vault from outside: `POST /_jobs/<name>` runs a job out of turn, with the body as its
 * event, and answers its result; `POST /_pump` answers once all that was written has had its effect; `POST /_time
 * {"minutes": …}` moves time on.
 */
export function createControls({ runJob, pump, advance }: ControlsOptions): Listener {
  /** What was written before must not be told as if it were written afterwards. */
  const passTime = async (milliseconds: number) => {
    await pump();
    advance(milliseconds);
    return { now: new Date().toISOString() };
  };
  const controls = new Map<string, Control>([
    ...[...JOB_NAMES, ...ON_ORDER].map((name): [string, Control] => [
      `/_jobs/${name}`,
      (event) => runJob(name, event),
    ]),
    ['/_pump', () => pump().then(() => ({}))],
    [
      '/_time',
      (body) => {
        const { minutes } = Object(body) as { readonly minutes?: unknown };
        if (typeof minutes !== 'number' || !(minutes > 0 && minutes <= YEAR_MINUTES)) return NO_MINUTES;
        return passTime(Math.round(minutes * MINUTE_MS));
      },
    ],
  ]);
  const answer = async (control: Control, request: IncomingMessage, requestId: string) => {
    const body = parseBody(await text(request));
    if (body === undefined) return problemResult(NO_JSON, requestId);
    try {
      const done = control(body);
      if (!(done instanceof Promise)) return problemResult(done, requestId);
      return toResult({ status: 200, json: await done }, requestId);
    } catch (error) {
      console.error(`POST ${request.url} failed:`, error);
      return problemResult(CRASHED, requestId);
    }
  };
  return async (request, response) => {
    const control = controls.get(request.url ?? '');
    if (request.method !== 'POST' || control === undefined) return false;
    sendResult(await answer(control, request, randomUUID()), request, response);
    return true;
  };
}

/** What a body says; undefined where it is not JSON. */
function parseBody(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    return undefined;
  }
}

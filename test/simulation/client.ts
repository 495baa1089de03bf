import { problemResponse, toVaultError } from '../../lambdas/api/http/problem.ts';
import type { HttpRequest } from '../../lambdas/api/http/request.ts';
import { routes } from '../../lambdas/api/routes/index.ts';
import { serve } from '../../lambdas/api/serve.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { type Answer, type Exchange, type JobRun, type Sent, userAgent } from './evidence.ts';
import type { Job } from './jobs.ts';
import type { World } from './world.ts';

/** Sends one request and waits for what becomes of it: `undefined` if its server crashed. */
export async function send(world: World, sent: Sent): Promise<Answer | undefined> {
  const { scheduler, evidence } = world;
  const instance = world.lease();
  const { clock } = instance.vault;
  const exchange: Exchange = {
    number: evidence.exchanges.length,
    sent,
    start: scheduler.step,
    startTime: clock.now(),
  };
  evidence.exchanges.push(exchange);
  instance.exchange = exchange.number;
  const outcome = await Promise.race([answer(world, instance.vault, exchange), instance.crashed]);
  exchange.end = scheduler.step;
  if (outcome === 'crashed') return undefined;
  exchange.endTime = clock.now();
  exchange.answer = outcome;
  world.release(instance);
  return outcome;
}

const MAX_TRIES = 3;
const RETRY_AFTER_MS = 2_000;

/** Sends a request as a real client does: again, unchanged, while nobody knows what became of it. */
export async function sendAgain(world: World, sent: Sent): Promise<Answer | undefined> {
  for (let tried = 1; ; tried += 1) {
    const received = await send(world, sent);
    const isUnknown = received === undefined || received.status === 503;
    if (!isUnknown || tried === MAX_TRIES) return received;
    await world.scheduler.turn(RETRY_AFTER_MS);
  }
}

/** Runs a scheduled job once. */
export async function runJob(world: World, { name, run: work }: Job): Promise<JobRun> {
  const instance = world.lease();
  const run: JobRun = { name, start: world.scheduler.step };
  world.evidence.jobs.push(run);
  instance.exchange = undefined;
  const finished = work(instance.vault).then(
    (result) => ({ result }),
    (thrown: unknown) => {
      const error = toVaultError(thrown);
      return { error: error.code === 'internal' ? `internal: ${describe(error.cause)}` : error.code };
    },
  );
  const outcome = await Promise.race([finished, instance.crashed]);
  if (outcome === 'crashed') return Object.assign(run, { error: 'crashed' });
  world.release(instance);
  return Object.assign(run, outcome);
}

async function answer(world: World, vault: Vault, { number, sent }: Exchange): Promise<Answer> {
  try {
    const request = await world.alterRequest(httpRequest(number, sent), vault);
    const { status, headers = {}, cookies = [], json, text } = await serve(vault, routes, request);
    return { status, headers, cookies, text: text ?? (json === undefined ? '' : JSON.stringify(json)) };
  } catch (thrown) {
    const error = toVaultError(thrown);
    const { status, headers = {}, text = '' } = problemResponse(error, String(number));
    const answered = { status, headers, cookies: [], text };
    return { ...answered, ...(status === 500 ? { cause: describe(error.cause ?? error) } : {}) };
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function httpRequest(number: number, sent: Sent): HttpRequest {
  const headers: { readonly [name: string]: string } = {
    ...sent.headers,
    'content-type': sent.form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
  };
  return {
    id: String(number),
    method: sent.method,
    path: sent.path,
    header: (name) => headers[name.toLowerCase()],
    query: Object.fromEntries(Object.entries(sent.query ?? {}).map(([name, value]) => [name, [value]])),
    ip: sent.ip,
    userAgent: userAgent(number),
    body: Buffer.from(bodyOf(sent)),
  };
}

function bodyOf({ body, form }: Sent): string {
  if (form !== undefined) return new URLSearchParams(form).toString();
  return body === undefined ? '' : JSON.stringify(body);
}

import { timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import type { Clock, Random } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { ProbeAnswer, ProbeClient, ProbeRequest } from './probe-client.ts';

/** In the order in which a run takes them. */
export const PROBE_STEPS = ['health', 'create', 'reveal', 'delete', 'purge', 'verify'] as const;
export type ProbeStep = (typeof PROBE_STEPS)[number];

/** The answer to a step was not what it had to be. Never what was in it. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly reason: string;

  constructor(reason: string) {
    super(`A step of the probe failed: ${reason}.`);
    this.reason = reason;
  }
}

interface Parts {
  readonly client: ProbeClient;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
}

export const CANARY_NAMESPACE = 'canary';
const VALUE_BYTES = 32;
const VERIFIED_MS = 60 * 60 * 1000;

const created = z.object({ id: z.string().regex(/^sec_[0-9a-f]{32}$/) });
const revealed = z.object({ value: z.string() });
const verified = z.object({ ok: z.boolean() });

/**
 * Writes a random value, reveals it, destroys it and has the audit trail of the last hour verified: each step as a client
 * does it. A generator, so that whoever runs it takes the time of each.
 *
 * @throws StepFailed; VaultError `unavailable` where there was no answer.
 */
export async function* probeSteps(
  { client, clock, random }: Parts,
  token: string,
): AsyncGenerator<ProbeStep> {
  const ask = async (request: Omit<ProbeRequest, 'token'>, status: number): Promise<ProbeAnswer> => {
    const answer = await client.send({ ...request, token });
    if (answer.status !== status) throw new StepFailed(`status_${answer.status}`);
    return answer;
  };
  const name = `probe-${Buffer.from(random.bytes(8)).toString('hex')}`;
  const value = Buffer.from(random.bytes(VALUE_BYTES)).toString('base64url');

  const { status } = await client.send({ method: 'GET', path: '/health' });
  if (status !== 200) throw new StepFailed(`status_${status}`);
  yield 'health';

  const secret = { namespace: CANARY_NAMESPACE, name, value };
  const made = await ask({ method: 'POST', path: '/secrets', json: secret }, 201);
  const { id } = read(created, made);
  yield 'create';

  const shown = await ask({ method: 'POST', path: `/secrets/${id}/reveal`, json: {} }, 200);
  if (!isSame(read(revealed, shown).value, value)) throw new StepFailed('other_value');
  yield 'reveal';

  await ask({ method: 'DELETE', path: `/secrets/${id}` }, 200);
  yield 'delete';

  await ask({ method: 'DELETE', path: `/secrets/${id}?purge=true` }, 204);
  yield 'purge';

  const from = timestamp(clock.now() - VERIFIED_MS);
  const judged = await ask({ method: 'POST', path: '/audit/verify', json: { from } }, 200);
  if (!read(verified, judged).ok) throw new StepFailed('trail_broken');
  yield 'verify';
}

function read<T>(schema: z.ZodType<T>, { json }: ProbeAnswer): T {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new StepFailed('unexpected_answer');
  return parsed.data;
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

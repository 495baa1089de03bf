import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { type Recovery, recoverSealedRows } from '../../core/seal/recover-sealed-rows.ts';
import { sealDeployment, type WorkspaceSeal } from '../../core/seal/seal-deployment.ts';
import { sealWorkspace } from '../../core/seal/seal-workspace.ts';
import { composeSealer } from '../shared/compose-sealer.ts';
import { readEnv } from '../shared/env.ts';
import { logFailure } from '../shared/log-failure.ts';
import { logger } from '../shared/logger.ts';
import { timeLeft } from '../shared/time-left.ts';
import { orderedRecovery, orderedSeal } from './ordered-work.ts';

const parts = composeSealer(readEnv());

const messagesSchema = z.object({ Records: z.array(z.object({ body: z.string() })) });
const messageSchema = z.object({ workspaceId: z.string().min(1) });

/**
 * Seals the workspaces that messages of the queue name, or, woken by the schedule, all of them. A workspace that cannot
 * be sealed fails the function after the rest is done; its messages then come again, and the schedule comes anyway.
 *
 * An operator who has restored the tables invokes it with `{"recover": "<workspace>"}`, again and again until the result
 * says `"done": true`, see `recoverSealedRows`; one who does not want to wait for the next seal, with
 * `{"seal": "<workspace>"}`.
 */
export const handler = middy(async (event: unknown, context: Context) => {
  const recovering = orderedRecovery(event);
  if (recovering !== undefined) return recover(recovering, timeLeft(context));

  const summary = { workspaces: 0, sealed: 0, refused: 0, failed: 0 };
  for await (const result of seal(event)) {
    summary.workspaces += 1;
    if (result.outcome === undefined) {
      summary.failed += 1;
      logFailure('A workspace cannot be sealed', result);
    } else if (result.outcome.status === 'sealed') summary.sealed += 1;
    else if (result.outcome.status === 'refused') summary.refused += 1;
  }
  if (summary.sealed + summary.refused + summary.failed > 0) logger.info('Sealed the audit trails', summary);
  if (summary.failed > 0) throw new Error(`${summary.failed} workspaces could not be sealed.`);
  return summary;
});

async function recover(workspaceId: string, mayGoOn: () => boolean): Promise<Recovery> {
  const recovery = await recoverSealedRows(parts, workspaceId, mayGoOn);
  logger.info('Recovered sealed rows', { workspaceId, ...recovery });
  return recovery;
}

async function* seal(event: unknown): AsyncGenerator<WorkspaceSeal> {
  const ordered = orderedSeal(event);
  if (ordered !== undefined) {
    yield { workspaceId: ordered, outcome: await sealWorkspace(parts, ordered, { force: true }) };
    return;
  }
  const messages = messagesSchema.safeParse(event);
  if (!messages.success) {
    yield* sealDeployment(parts);
    return;
  }
  const named = messages.data.Records.map(({ body }) => messageSchema.parse(JSON.parse(body)).workspaceId);
  for (const workspaceId of new Set(named)) {
    try {
      yield { workspaceId, outcome: await sealWorkspace(parts, workspaceId) };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

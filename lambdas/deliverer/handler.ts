import middy from '@middy/core';
import * as z from 'zod';
import { VaultError } from '../../core/kernel/errors.ts';
import { deliverDeployment, deliverWorkspaces } from '../../core/siem/deliver-workspaces.ts';
import { composeDeliverer } from '../shared/compose-deliverer.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const parts = composeDeliverer(readEnv());

/** No request is begun after this; one that was takes ten seconds at most. */
const BUDGET_MS = 45_000;

const messages = z.object({ Records: z.array(z.object({ body: z.string() })) });
const message = z.object({ workspaceId: z.string() });

/**
 * Sends audit events and alerts to webhooks: those of the workspaces that messages of the queue name, or, without
 * messages, all that are due. A receiver that fails is written down and tried again later. Trouble of our own fails the
 * function, after the rest is done; but not for messages: these would come again only after minutes, and keep those
 * behind them waiting, while the next minute's run makes up for them.
 */
export const handler = middy(async (event: unknown) => {
  const deadline = parts.clock.now() + BUDGET_MS;
  const workspaceIds = workspacesOf(event);
  const { events, failures } =
    workspaceIds === undefined
      ? await deliverDeployment(parts, deadline)
      : await deliverWorkspaces(parts, workspaceIds, deadline);
  for (const { workspaceId, webhookId = '', error } of failures) {
    logger.error('A webhook could not be worked on', {
      workspaceId,
      webhookId,
      code: error instanceof VaultError ? error.code : 'internal',
      causeName: error instanceof Error ? error.name : '',
    });
  }
  if (events > 0) logger.info('Sent events to webhooks', { events });
  if (workspaceIds === undefined && failures.length > 0) {
    throw new Error(`${failures.length} times, a webhook could not be worked on.`);
  }
  return { events };
});

/** Each workspace that messages name, once; nothing when the schedule is who asks. */
function workspacesOf(event: unknown): readonly string[] | undefined {
  const { data } = messages.safeParse(event);
  if (data === undefined) return undefined;
  return [...new Set(data.Records.map(({ body }) => message.parse(JSON.parse(body)).workspaceId))];
}

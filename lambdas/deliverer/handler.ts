import middy from '@middy/core';
import * as z from 'zod';
import { VaultError } from '../../core/kernel/errors.ts';
import {
  type DeliveryReport,
  deliverDeployment,
  deliverWorkspace,
} from '../../core/siem/deliver-workspaces.ts';
import { composeDeliverer } from '../shared/compose-deliverer.ts';
import { readEnv } from '../shared/env.ts';
import { logger } from '../shared/logger.ts';

const parts = composeDeliverer(readEnv());

/** No request is begun after this; one that was takes ten seconds at most. */
const BUDGET_MS = 45_000;

const messages = z.object({ Records: z.array(z.object({ body: z.string() })) });
const message = z.object({ workspaceId: z.string() });

/**
 * Sends audit events to webhooks: those of the workspaces that messages of the queue name, or, without messages, all
 * that are due. A receiver that fails is written down and tried again later; only trouble of our own fails the function,
 * after the rest is done, and messages then come again.
 */
export const handler = middy(async (event: unknown) => {
  const deadline = parts.clock.now() + BUDGET_MS;
  const reports = await deliver(workspacesOf(event), deadline);
  const failures = reports.flatMap((report) => report.failures);
  for (const { webhook, error } of failures) {
    logger.error('A webhook could not be worked on', {
      workspaceId: webhook.workspaceId,
      webhookId: webhook.id,
      code: error instanceof VaultError ? error.code : 'internal',
      causeName: error instanceof Error ? error.name : '',
    });
  }
  const events = reports.reduce((sum, report) => sum + report.events, 0);
  if (events > 0) logger.info('Sent audit events to webhooks', { events });
  if (failures.length > 0) throw new Error(`${failures.length} times, a webhook could not be worked on.`);
  return { events };
});

function deliver(workspaceIds: readonly string[] | undefined, deadline: number): Promise<DeliveryReport[]> {
  const runs =
    workspaceIds === undefined
      ? [deliverDeployment(parts, deadline)]
      : workspaceIds.map((workspaceId) => deliverWorkspace(parts, workspaceId, deadline));
  return Promise.all(runs);
}

/** Each workspace that messages name, once; nothing when the schedule is who asks. */
function workspacesOf(event: unknown): readonly string[] | undefined {
  const { data } = messages.safeParse(event);
  if (data === undefined) return undefined;
  return [...new Set(data.Records.map(({ body }) => message.parse(JSON.parse(body)).workspaceId))];
}

import { SendMessageBatchCommand, type SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { unavailable } from '../core/kernel/errors.ts';
import type { Wake, WakeQueue } from '../core/seal/wake.ts';
import { CLIENT_CONFIG } from './clients.ts';

/** Entries in one SendMessageBatch. */
const BATCH = 10;

/**
 * The `WakeQueue` port on a FIFO queue of SQS. The workspace is the message group, of which Lambda has one batch at a
 * time; a wake that is sent again within five minutes is dropped by its deduplication id.
 */
export function createSqsQueue(
  queueUrl: string,
  client: Pick<SQSClient, 'send'> = new SQSClient(CLIENT_CONFIG),
): WakeQueue {
  const sendBatch = async (wakes: readonly Wake[]): Promise<void> => {
    const command = new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: wakes.map(toEntry) });
    const { Failed: failed = [] } = await client.send(command).catch((cause) => {
      throw unavailable('The queue does not answer right now. Try again.', cause);
    });
    if (failed.length === 0) return;
    throw unavailable(`The queue did not take ${failed.length} of ${wakes.length} messages. Try again.`);
  };
  return {
    async send(wakes) {
      for (let start = 0; start < wakes.length; start += BATCH) {
        await sendBatch(wakes.slice(start, start + BATCH));
      }
    },
  };
}

function toEntry({ workspaceId, newest }: Wake, index: number): SendMessageBatchRequestEntry {
  return {
    Id: String(index),
    MessageBody: JSON.stringify({ workspaceId }),
    MessageGroupId: workspaceId,
    MessageDeduplicationId: `${workspaceId}:${newest}`,
  };
}

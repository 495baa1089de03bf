import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import {
  DELIVERY_LIFE_MS,
  type DeliveryLog,
  deliverySchema,
  deliveryStateSchema,
} from '../core/siem/delivery-log.ts';
import type { WebhookRef } from '../core/siem/webhook.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type Item } from './items.ts';
import { replaceVersioned } from './versioned-item.ts';

/**
 * The `DeliveryLog` port on the table `vault`, outside the audit trail, like `bookkeeping.ts`:
 *
 * - how far a webhook is: pk `B#hook#<workspace>#<webhook>`, sk `~`, in `delivery`, with the `version`;
 * - what was sent: the same pk, sk `D#<milliseconds, 15 digits>#<first event>`, in `delivery`, with a `ttl`.
 */
export function createDynamoDeliveryLog(client: DynamoDBDocumentClient, table: string): DeliveryLog {
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });

  return {
    async read(webhook) {
      const command = new GetCommand({ TableName: table, Key: stateKey(webhook), ConsistentRead: true });
      const { Item: item } = await send(client.send(command));
      if (item === undefined) return undefined;
      return {
        version: parsed(z.int().min(1), item['version']),
        state: parsed(deliveryStateSchema, item['delivery']),
      };
    },

    replace: (webhook, version, next) =>
      replaceVersioned(client, table, { ...stateKey(webhook), delivery: next, version: version + 1 }),

    async record(webhook, delivery) {
      const at = String(delivery.at).padStart(TIME_DIGITS, '0');
      const Item: Item = {
        pk: hookKey(webhook),
        sk: `${RECORD_PREFIX}${at}#${delivery.firstEventId}`,
        delivery,
        // DynamoDB's time to live counts whole seconds.
        ttl: Math.ceil((delivery.at + DELIVERY_LIFE_MS) / 1000),
      };
      await send(client.send(new PutCommand({ TableName: table, Item })));
    },

    async list(webhook, { limit, after }) {
      const { Items: items = [], LastEvaluatedKey: last } = await send(
        client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :hook AND begins_with(sk, :records)',
            ExpressionAttributeValues: { ':hook': hookKey(webhook), ':records': RECORD_PREFIX },
            ScanIndexForward: false,
            ConsistentRead: true,
            Limit: limit,
            ...(after === undefined ? {} : { ExclusiveStartKey: { pk: hookKey(webhook), sk: after } }),
          }),
        ),
      );
      const deliveries = items.map((item) => parsed(deliverySchema, item['delivery']));
      return { items: deliveries, ...(last === undefined ? {} : { next: String(last['sk']) }) };
    },

    async forget(webhook) {
      await send(client.send(new DeleteCommand({ TableName: table, Key: stateKey(webhook) })));
    },
  };
}

const RECORD_PREFIX = 'D#';
const TIME_DIGITS = 15;

function hookKey({ workspaceId, id }: WebhookRef): string {
  return `${BOOKKEEPING_PREFIX}hook#${workspaceId}#${id}`;
}

function stateKey(webhook: WebhookRef) {
  return { pk: hookKey(webhook), sk: '~' };
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new VaultError(
    'internal',
    'What is stored of the deliveries of a webhook is damaged. Tell your operator.',
    { cause: result.error },
  );
}

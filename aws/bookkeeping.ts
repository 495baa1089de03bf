import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import {
  type Bookkeeping,
  type FailureRecord,
  MARK_INTERVAL_MS,
  type Tally,
  type TallyKey,
} from '../core/identity/bookkeeping.ts';
import { timestamp } from '../core/kernel/timestamps.ts';
import { startOf } from '../core/plans/month.ts';
import { NOTE_LIFE_MS } from '../core/plans/plan-counts.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type Item } from './items.ts';

/**
 * Every write that bypasses the audit trail, on the table `vault`:
 *
 * - last use of a key: pk `B#used#<workspace>`, sk the key's id;
 * - failures in a minute: pk `B#tally#<minute>`, sk `<workspace>#<address>#<reason>`;
 * - how far tallies are swept: pk `B#tally`, sk `swept`;
 * - last use of a session: pk `B#seen#<session>`, sk `~`;
 * - failed logins: pk `B#failures#<account>`, sk the device's, see `known-device.ts`;
 * - requests counted against a limit: pk `B#limit#<minute>#<route, address or account>`, sk `~`;
 * - how many secrets there are: pk `B#secrets#<workspace>`, sk `~`;
 * - how many rows there were when a month began: pk `B#months#<workspace>`, sk `2026-11`.
 */
export function createBookkeeping(client: DynamoDBDocumentClient, table: string): Bookkeeping {
  /** When this process noted a key's use: spares the write that the condition would refuse. */
  const noted = new Map<string, number>();
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });

  return {
    async markKeyUsed(workspaceId, keyId, now) {
      if (now - (noted.get(keyId) ?? 0) < MARK_INTERVAL_MS) return;
      const command = new UpdateCommand({
        TableName: table,
        Key: { pk: usedKey(workspaceId), sk: keyId },
        UpdateExpression: 'SET usedAt = :now',
        ConditionExpression: 'attribute_not_exists(usedAt) OR usedAt <= :before',
        ExpressionAttributeValues: { ':now': timestamp(now), ':before': timestamp(now - MARK_INTERVAL_MS) },
      });
      await client.send(command).catch((error) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw storeUnavailable(error);
      });
      if (noted.size >= MAX_NOTED) noted.clear();
      noted.set(keyId, now);
    },

    async lastUsed(workspaceId, keyIds) {
      const keys = keyIds.map((keyId) => ({ pk: usedKey(workspaceId), sk: keyId }));
      const items = await send(batchGet(client, table, keys));
      return new Map(items.map(({ sk, usedAt }) => [sk?.S ?? '', usedAt?.S ?? '']));
    },

    async count(tally) {
      const { Attributes: after } = await send(
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: { pk: tallyKey(tally.minute), sk: `${tally.workspaceId}#${tally.ip}#${tally.reason}` },
            UpdateExpression: 'ADD tallied :one SET #ttl = :ttl',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: { ':one': 1, ':ttl': (tally.minute + TALLY_LIFE_MINUTES) * 60 },
            ReturnValues: 'UPDATED_NEW',
          }),
        ),
      );
      return Number(after?.['tallied']);
    },

    async tallies(minute) {
      const tallies: Tally[] = [];
      let from: Item | undefined;
      do {
        const { Items: items = [], LastEvaluatedKey: last } = await send(
          client.send(
            new QueryCommand({
              TableName: table,
              KeyConditionExpression: 'pk = :minute',
              ExpressionAttributeValues: { ':minute': tallyKey(minute) },
              ConsistentRead: true,
              ...(from === undefined ? {} : { ExclusiveStartKey: from }),
            }),
          ),
        );
        tallies.push(...items.map((item) => readTally(minute, item)));
        from = last;
      } while (from !== undefined);
      return tallies;
    },

    async sweptUntil() {
      const { Item: item } = await send(
        client.send(new GetCommand({ TableName: table, Key: SWEPT_KEY, ConsistentRead: true })),
      );
      return item === undefined ? undefined : Number(item['minute']);
    },

    async markSwept(minute) {
      await send(client.send(new PutCommand({ TableName: table, Item: { ...SWEPT_KEY, minute } })));
    },

    async startSession(sessionId, now, expiresAt) {
      const Item = { ...seenKey(sessionId), seenAt: now, ttl: Math.ceil(expiresAt / 1000) };
      await send(client.send(new PutCommand({ TableName: table, Item })));
    },

    async touchSession(sessionId, now, since) {
      const command = new UpdateCommand({
        TableName: table,
        Key: seenKey(sessionId),
        UpdateExpression: 'SET seenAt = :now',
        ConditionExpression: 'seenAt > :since',
        ExpressionAttributeValues: { ':now': now, ':since': since },
      });
      try {
        await client.send(command);
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw storeUnavailable(error);
      }
    },

    async sessionsSeen(sessionIds) {
      const items = await send(batchGet(client, table, sessionIds.map(seenKey)));
      return new Map(
        items.map(({ pk, seenAt }) => [pk?.S?.slice(SEEN_PREFIX.length) ?? '', Number(seenAt?.N)]),
      );
    },

    async failures(key) {
      const command = new GetCommand({ TableName: table, Key: failuresKey(key), ConsistentRead: true });
      const { Item: item } = await send(client.send(command));
      return readFailures(item);
    },

    async replaceFailures(key, version, failures, expiresAt) {
      const command = new PutCommand({
        TableName: table,
        Item: {
          ...failuresKey(key),
          failures,
          version: version + 1,
          ttl: Math.ceil(expiresAt / 1000),
        },
        ConditionExpression: version === 0 ? 'attribute_not_exists(pk)' : '#version = :version',
        ...(version === 0
          ? {}
          : {
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':version': version },
            }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      try {
        await client.send(command);
        return undefined;
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw storeUnavailable(error);
        return readFailures(error.Item === undefined ? undefined : unmarshall(error.Item));
      }
    },

    async countRequest(key, minute) {
      const { Attributes: after } = await send(
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: { pk: `${BOOKKEEPING_PREFIX}limit#${minute}#${key}`, sk: '~' },
            UpdateExpression: 'ADD tallied :one SET #ttl = :ttl',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: { ':one': 1, ':ttl': (minute + LIMIT_LIFE_MINUTES) * 60 },
            ReturnValues: 'UPDATED_NEW',
          }),
        ),
      );
      return Number(after?.['tallied']);
    },

    async secretCount(workspaceId) {
      const command = new GetCommand({
        TableName: table,
        Key: secretCountKey(workspaceId),
        ConsistentRead: true,
      });
      const { Item: item } = await send(client.send(command));
      const count = Number(item?.['tallied'] ?? 0);
      // What is no number somebody put there: it is set right each night, and stops nobody until then.
      return Number.isNaN(count) ? 0 : Math.max(0, count);
    },

    async addSecrets(workspaceId, difference) {
      const { Attributes: after } = await send(
        client.send(
          new UpdateCommand({
            TableName: table,
            Key: secretCountKey(workspaceId),
            UpdateExpression: 'ADD tallied :difference',
            ExpressionAttributeValues: { ':difference': difference },
            ReturnValues: 'UPDATED_NEW',
          }),
        ),
      );
      return Number(after?.['tallied']);
    },

    async setSecretCount(workspaceId, count) {
      const Item = { ...secretCountKey(workspaceId), tallied: count };
      await send(client.send(new PutCommand({ TableName: table, Item })));
    },

    async rowsBefore(workspaceId) {
      const { Items: items = [] } = await send(
        client.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: 'pk = :months',
            ExpressionAttributeValues: { ':months': monthsKey(workspaceId) },
            ConsistentRead: true,
          }),
        ),
      );
      return new Map(items.map(({ sk, tallied }) => [String(sk), Number(tallied)]));
    },

    async noteRowsBefore(workspaceId, month, rows) {
      const ttl = Math.ceil((startOf(month) + NOTE_LIFE_MS) / 1000);
      const Item = { pk: monthsKey(workspaceId), sk: month, tallied: rows, ttl };
      await send(client.send(new PutCommand({ TableName: table, Item })));
    },
  };
}

function secretCountKey(workspaceId: string) {
  return { pk: `${BOOKKEEPING_PREFIX}secrets#${workspaceId}`, sk: '~' };
}

function monthsKey(workspaceId: string): string {
  return `${BOOKKEEPING_PREFIX}months#${workspaceId}`;
}

/** A count is asked for within its minute, by clocks that differ a little. */
const LIMIT_LIFE_MINUTES = 15;
const SEEN_PREFIX = `${BOOKKEEPING_PREFIX}seen#`;

function seenKey(sessionId: string) {
  return { pk: `${SEEN_PREFIX}${sessionId}`, sk: '~' };
}

function failuresKey(key: string) {
  const [account = '', device = ''] = key.split('#');
  return { pk: `${BOOKKEEPING_PREFIX}failures#${account}`, sk: device };
}

function readFailures(item: Item | undefined): FailureRecord {
  if (item === undefined) return { version: 0, failures: [] };
  return { version: Number(item['version']), failures: item['failures'] as number[] };
}

const MAX_NOTED = 10_000;
/** Longer than the sweeper looks back. */
const TALLY_LIFE_MINUTES = 120;
const SWEPT_KEY = { pk: `${BOOKKEEPING_PREFIX}tally`, sk: 'swept' };

function usedKey(workspaceId: string): string {
  return `${BOOKKEEPING_PREFIX}used#${workspaceId}`;
}

function tallyKey(minute: number): string {
  return `${BOOKKEEPING_PREFIX}tally#${minute}`;
}

function readTally(minute: number, item: Item): Tally {
  const [workspaceId = '', ip = '', reason = ''] = String(item['sk']).split('#');
  const key: TallyKey = { minute, workspaceId, ip, reason };
  return { ...key, count: Number(item['tallied']) };
}

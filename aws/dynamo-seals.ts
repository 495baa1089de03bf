import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import type { LeafSegment, SealState, SealStates } from '../core/seal/seal-state.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { type Item, leafKey, sealKey } from './items.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

const stateSchema = z.strictObject({
  workspaceId: z.string(),
  version: z.int().min(1),
  size: count,
  root: hash,
  frontier: z.array(hash),
  checkpoint: z.string(),
  lanes: z.record(
    z.string().regex(/^\d{1,5}$/),
    z.strictObject({ seq: z.int().min(1), hash, ts: z.string() }),
  ),
  sealedAt: z.int(),
  publishedSize: count,
  recovery: z.strictObject({ fromSize: count, rows: count }).exactOptional(),
});

/** The `SealStates` port on the table `vault`. */
export function createDynamoSeals(client: DynamoDBDocumentClient, table: string): SealStates {
  const segmentsFrom = async (
    workspaceId: string,
    lane: number,
    seq: number,
    limit: number,
  ): Promise<LeafSegment[]> => {
    const { pk, sk } = leafKey(workspaceId, lane, seq);
    const command = new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :lane AND sk >= :seq',
      ExpressionAttributeValues: { ':lane': pk, ':seq': sk },
      ConsistentRead: true,
      Limit: limit,
    });
    const { Items: items = [] } = await client.send(command).catch((error) => {
      throw storeUnavailable(error);
    });
    return items.map((item) => readSegment(lane, item));
  };

  return {
    async read(workspaceId) {
      const command = new GetCommand({
        TableName: table,
        Key: { ...sealKey(workspaceId) },
        ConsistentRead: true,
      });
      const { Item: item } = await client.send(command).catch((error) => {
        throw storeUnavailable(error);
      });
      return item === undefined ? undefined : readState(workspaceId, item);
    },

    async replace(next, segments) {
      const { workspaceId, version } = next;
      const condition =
        version === 1
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: '#version = :before',
              ExpressionAttributeNames: { '#version': 'version' },
              ExpressionAttributeValues: { ':before': version - 1 },
            };
      const state = { ...sealKey(workspaceId), version, state: next };
      try {
        await client.send(
          new TransactWriteCommand({
            TransactItems: [
              { Put: { TableName: table, Item: state, ...condition } },
              ...segments.map((segment) => ({
                Put: { TableName: table, Item: segmentItem(workspaceId, segment) },
              })),
            ],
          }),
        );
        return 'replaced';
      } catch (error) {
        if (isRefused(error)) return 'changed';
        throw storeUnavailable(error);
      }
    },

    async segmentOf(workspaceId, lane, seq) {
      const [segment] = await segmentsFrom(workspaceId, lane, seq, 1);
      return segment !== undefined && segment.firstSeq <= seq ? segment : undefined;
    },

    segments: segmentsFrom,
  };
}

/** Whether the condition on the state was what failed; a transaction in conflict with another says nothing of it. */
function isRefused(error: unknown): boolean {
  return (
    error instanceof TransactionCanceledException &&
    error.CancellationReasons?.[0]?.Code === 'ConditionalCheckFailed'
  );
}

/** @throws VaultError `internal` for what the sealer did not write. */
function readState(workspaceId: string, item: Item): SealState {
  const parsed = stateSchema.safeParse(item['state']);
  if (parsed.success && parsed.data.workspaceId === workspaceId && parsed.data.version === item['version']) {
    return parsed.data;
  }
  throw new VaultError(
    'internal',
    'The stored state of the sealer is damaged, so it was not used. Remove it and recover the sealed rows.',
    { cause: parsed.error },
  );
}

function segmentItem(workspaceId: string, { lane, firstSeq, lastSeq, firstLeaf }: LeafSegment): Item {
  return { ...leafKey(workspaceId, lane, lastSeq), firstSeq, firstLeaf };
}

function readSegment(lane: number, item: Item): LeafSegment {
  return {
    lane,
    firstSeq: Number(item['firstSeq']),
    lastSeq: Number(item['sk']),
    firstLeaf: Number(item['firstLeaf']),
  };
}

import {
  type CancellationReason,
  ConditionalCheckFailedException,
  GetItemCommand,
  QueryCommand,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { extraLanes, laneSetKind } from '../core/audit/lane-set.ts';
import type { AppendOutcome, ExplainedChange, LaneRef, Ledger, StoredRow } from '../core/audit/ledger.ts';
import { errorName } from './clients.ts';
import { storeUnavailable } from './dynamo-client.ts';
import {
  entityItem,
  entityKey,
  laneKey,
  laneKeys,
  readEntity,
  readRowItem,
  rowItem,
  rowKey,
} from './items.ts';

interface Tables {
  readonly vaultTable: string;
  readonly auditTable: string;
}

/** Before and after every key of a row, and of whatever else somebody may put among them. */
const FIRST_KEY = ' ';
const LAST_KEY = '~';
/** How many keys that are none of a row's may stand after the last row before it is no longer found. */
const PLANTED_KEYS = 1_000;

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** The `Ledger` port on the tables `audit` and `vault`. */
export function createDynamoLedger(
  client: DynamoDBDocumentClient,
  { vaultTable, auditTable }: Tables,
): Ledger {
  /** Rows between two keys, both included. */
  const queryRows = async (
    lane: LaneRef,
    [low, high]: readonly [string, string],
    order: 'rising' | 'falling',
    limit: number,
  ): Promise<StoredRow[]> => {
    try {
      const { Items: items = [] } = await client.send(
        new QueryCommand({
          TableName: auditTable,
          KeyConditionExpression: 'pk = :lane AND sk BETWEEN :low AND :high',
          ExpressionAttributeValues: {
            ':lane': { S: laneKey(lane) },
            ':low': { S: low },
            ':high': { S: high },
          },
          ScanIndexForward: order === 'rising',
          ConsistentRead: true,
          Limit: limit,
        }),
      );
      return items.map((item) => readRowItem(lane, item));
    } catch (error) {
      throw storeUnavailable(error);
    }
  };

  return {
    async lastRow(lane) {
      const { first, last } = laneKeys(lane);
      const [row] = await queryRows(lane, [first, last], 'falling', 1);
      // A key that is none of a row's sorts last here: look among more, which costs nothing in an honest table.
      if (row === undefined || row.seq > 0) return row;
      return (await queryRows(lane, [first, last], 'falling', PLANTED_KEYS)).find(({ seq }) => seq > 0);
    },

    async row(lane, seq) {
      try {
        const { pk, sk } = rowKey(lane, seq);
        const { Item: item } = await client.send(
          new GetItemCommand({
            TableName: auditTable,
            Key: { pk: { S: pk }, sk: { S: sk } },
            ConsistentRead: true,
          }),
        );
        return item === undefined ? undefined : readRowItem(lane, item);
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    rows(lane, from, limit, order = 'rising') {
      const { sk } = rowKey(lane, from);
      return queryRows(lane, order === 'rising' ? [sk, LAST_KEY] : [FIRST_KEY, sk], order, limit);
    },

    async extraLanes(workspaceId) {
      try {
        const { Item: item } = await client.send(
          new GetCommand({
            TableName: vaultTable,
            Key: { ...entityKey(laneSetKind, workspaceId, workspaceId) },
            ConsistentRead: true,
          }),
        );
        if (item === undefined) return [];
        return extraLanes(readEntity(laneSetKind, item).count, Number(item['rowSeq']));
      } catch (error) {
        throw storeUnavailable(error);
      }
    },

    async append(rows, changes) {
      const [only] = rows;
      if (only !== undefined && rows.length === 1 && changes.length === 0)
        return putRow(client, auditTable, only);
      const items = [
        ...rows.map((row): TransactItem => ({ Put: conditionalPut(auditTable, row) })),
        ...changes.map((explained) => changeItem(vaultTable, explained)),
      ];
      try {
        // The token makes the SDK's retry of an answer that was lost a success (for ten minutes), not a refusal.
        await client.send(
          new TransactWriteCommand({ TransactItems: items, ClientRequestToken: only?.nonce }),
        );
        return { status: 'committed' };
      } catch (error) {
        if (error instanceof TransactionCanceledException) return canceled(rows, error);
        throw storeUnavailable(error);
      }
    },
  };
}

/** A row without changes needs no transaction, which would cost twice the capacity. */
async function putRow(client: DynamoDBDocumentClient, table: string, row: StoredRow): Promise<AppendOutcome> {
  try {
    await client.send(new PutCommand(conditionalPut(table, row)));
    return { status: 'committed' };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException && error.Item !== undefined) {
      return { status: 'row_taken', row: readRowItem(row, error.Item) };
    }
    if (errorName(error) === 'TransactionConflictException') return { status: 'contended' };
    throw storeUnavailable(error);
  }
}

function conditionalPut(table: string, row: StoredRow) {
  return {
    TableName: table,
    Item: rowItem(row),
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  } as const;
}

function changeItem(table: string, { change, row }: ExplainedChange): TransactItem {
  const { kind, entity, expect } = change;
  const condition =
    expect === 'absent'
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : { ConditionExpression: 'revision = :expected', ExpressionAttributeValues: { ':expected': expect } };
  const Key = { ...entityKey(kind, entity.workspaceId, entity.id) };
  switch (change.op) {
    case 'put':
      return { Put: { TableName: table, Item: entityItem(kind, entity, row), ...condition } };
    case 'remove':
      return { Delete: { TableName: table, Key, ...condition } };
    case 'check':
      return { ConditionCheck: { TableName: table, Key, ...condition } };
  }
}

/** Rows first: only once their keys are known to be free do the changes' revisions mean anything. */
function canceled(rows: readonly StoredRow[], error: TransactionCanceledException): AppendOutcome {
  const reasons: readonly CancellationReason[] = error.CancellationReasons ?? [];
  for (const [index, row] of rows.entries()) {
    const { Code: code, Item: item } = reasons[index] ?? {};
    if (code === 'ConditionalCheckFailed' && item !== undefined) {
      return { status: 'row_taken', row: readRowItem(row, item) };
    }
  }
  if (reasons.some(({ Code: code }) => code === 'TransactionConflict')) return { status: 'contended' };
  const refused = reasons
    .slice(rows.length)
    .flatMap(({ Code: code }, index) => (code === 'ConditionalCheckFailed' ? [index] : []));
  if (refused.length > 0) return { status: 'change_refused', refused };
  throw storeUnavailable(error);
}

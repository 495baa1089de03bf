import { CreateTableCommand, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { createDynamoClient } from '../aws/dynamo-client.ts';
import { createDynamoLedger } from '../aws/dynamo-ledger.ts';
import { rowItem } from '../aws/items.ts';
import { createAuditTrail } from '../core/audit/trail.ts';
import { systemClock, systemRandom } from '../lambdas/shared/system.ts';
import { startDynamoDbLocal } from '../local/dynamodb-local.ts';
import { compare, type Line, ratio } from './support/measure.ts';
import { chain, origin, revealed } from './support/rows.ts';

const ROWS = 300;
const ROUNDS = 3;
const TABLES = { vaultTable: 'vault', auditTable: 'audit' };
const CONCURRENCIES = [1, 8, 32];

/**
 * Appending rows to one lane, against as many conditional puts of items of the same size to free keys of the same
 * table. A lane takes one row after the other by design, so its throughput does not rise with concurrency.
 */
export async function benchAppend(): Promise<Line[]> {
  const database = await startDynamoDbLocal();
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: database.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
  });
  try {
    const client = createDynamoClient();
    await client.send(new CreateTableCommand(AUDIT_TABLE));
    return await appendLines(client);
  } finally {
    await database.stop();
  }
}

const AUDIT_TABLE: CreateTableCommandInput = {
  TableName: TABLES.auditTable,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
};

async function appendLines(client: DynamoDBDocumentClient): Promise<Line[]> {
  const ledger = createDynamoLedger(client, TABLES);
  let run = 0;
  const trail = createAuditTrail({ ledger, clock: systemClock, random: systemRandom });
  const line = async (concurrency: number): Promise<Line> => {
    const lane = { ...origin, workspaceId: `bench-${run++}` };
    const { ours, reference } = await compare(
      ROUNDS,
      () => spread(concurrency, () => trail.commit(lane, [revealed])),
      () => rawPuts(client, TABLES.auditTable, concurrency, `raw-${run++}`),
    );
    return {
      what: `append a row, concurrency ${concurrency}, against conditional PutItem`,
      ours: rate(ours),
      reference: rate(reference),
      ratio: ratio(reference / ours),
    };
  };
  const lines: Line[] = [];
  for (const concurrency of CONCURRENCIES) lines.push(await line(concurrency));
  return lines;
}

async function rawPuts(
  client: DynamoDBDocumentClient,
  table: string,
  concurrency: number,
  lane: string,
): Promise<void> {
  const [row] = chain(1);
  if (row === undefined) throw new Error('There is no row to put.');
  const item = rowItem(row);
  let next = 0;
  await spread(concurrency, () => {
    const Item = { ...item, pk: `A#${lane}#0`, sk: `R#${String(next++).padStart(16, '0')}` };
    return client.send(
      new PutCommand({ TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
    );
  });
}

/** Does the work {@link ROWS} times, so many at once. */
async function spread(concurrency: number, work: () => Promise<unknown>): Promise<void> {
  let left = ROWS;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await work();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

function rate(time: number): string {
  return `${Math.round((ROWS / time) * 1000)} rows/s`;
}

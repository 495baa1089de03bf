import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { openRecords } from '../../../local/json-records.ts';
import { createStreamSource, type StreamPosition } from '../../../local/streams.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { credentials } from './serve-stand-ins.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const folder = mkdtempSync(join(tmpdir(), 'streams-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeWithDynamoDb('a stream for a function', (getEndpoint) => {
  let client: DynamoDBStreamsClient;
  let tables: DynamoDBDocumentClient;
  let count = 0;

  beforeAll(() => {
    const options = { endpoint: getEndpoint(), region: 'us-east-1', credentials, maxAttempts: 1 };
    client = new DynamoDBStreamsClient(options);
    tables = DynamoDBDocumentClient.from(new DynamoDBClient(options));
  });
  afterAll(() => {
    client.destroy();
    tables.destroy();
  });

  async function createTable() {
    count += 1;
    const TableName = `table-${count}`;
    const { TableDescription: table } = await tables.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    );
    const put = (item: Record<string, unknown>) =>
      tables.send(new PutCommand({ TableName, Item: { pk: 'a', ...item } }));
    const file = join(folder, `${TableName}.json`);
    return { TableName, put, file, streamArn: table?.LatestStreamArn ?? '' };
  }

  /** A source over the table, with what its function was handed. */
  function follow(
    { streamArn, file }: Awaited<ReturnType<typeof createTable>>,
    invoke: (event: DynamoDBStreamEvent) => void = () => undefined,
    accepts: (record: { eventName?: string | undefined }) => boolean = () => true,
    ahead = 0,
  ) {
    const records: DynamoDBRecord[] = [];
    const source = createStreamSource({
      client,
      streamArn,
      functionName: 'function',
      positions: openRecords<StreamPosition>(file, ({ id }) => id),
      accepts,
      ahead: () => ahead,
      async invoke(event) {
        invoke(event);
        records.push(...event.Records);
      },
    });
    const drain = async (): Promise<void> => {
      while (await source.poll());
    };
    return { records, drain };
  }

  const values = (records: readonly DynamoDBRecord[]) =>
    records.map(({ dynamodb }) => dynamodb?.NewImage?.['n']?.N);

  test('comes as Lambda hands it over, binary values in base64', async () => {
    const table = await createTable();
    const nested = { list: [Buffer.from([1]), { deep: Buffer.from([2]) }] };
    await table.put({ b: Buffer.from([255, 0]), n: 1, nested });
    await table.put({ n: 2 });
    await tables.send(new DeleteCommand({ TableName: table.TableName, Key: { pk: 'a' } }));
    const { records, drain } = follow(table);
    await drain();

    const first = {
      pk: { S: 'a' },
      n: { N: '1' },
      b: { B: '/wA=' },
      nested: { M: { list: { L: [{ B: 'AQ==' }, { M: { deep: { B: 'Ag==' } } }] } } },
    };
    const second = { pk: { S: 'a' }, n: { N: '2' } };
    expect(records).toMatchObject([
      { eventName: 'INSERT', dynamodb: { Keys: { pk: { S: 'a' } }, NewImage: first } },
      { eventName: 'MODIFY', dynamodb: { OldImage: first, NewImage: second } },
      { eventName: 'REMOVE', dynamodb: { OldImage: second } },
    ]);
    for (const { eventSource, eventSourceARN, dynamodb } of records) {
      expect([eventSource, eventSourceARN]).toEqual(['aws:dynamodb', table.streamArn]);
      // Seconds, not milliseconds.
      expect(dynamodb?.ApproximateCreationDateTime).toBeLessThan(Date.now() / 100);
      expect(dynamodb?.SequenceNumber).toMatch(/^\d+$/);
    }
    expect(JSON.parse(JSON.stringify(records))).toEqual(records);
  });

  test('is dated by the time of this process, not by the wall clock of DynamoDB Local', async () => {
    const table = await createTable();
    await table.put({ n: 1 });
    const [here, ahead] = [
      follow(table),
      follow({ ...table, file: `${table.file}-ahead` }, undefined, undefined, DAY_MS),
    ];
    for (const { drain } of [here, ahead]) await drain();
    const [dated, datedAhead] = [here, ahead].map(
      ({ records }) => records[0]?.dynamodb?.ApproximateCreationDateTime ?? 0,
    );
    expect([dated, datedAhead]).toEqual([expect.any(Number), (dated ?? 0) + DAY_MS / 1000]);
  });

  test('comes in order and once, from start to start', async () => {
    const table = await createTable();
    for (let n = 1; n <= 3; n += 1) await table.put({ n });
    const before = follow(table);
    await before.drain();
    expect(values(before.records)).toEqual(['1', '2', '3']);
    await table.put({ n: 4 });
    const after = follow(table);
    await after.drain();
    expect(values(after.records)).toEqual(['4']);
    await after.drain();
    expect(after.records).toHaveLength(1);
  });

  test('comes again where the function failed, with what came since', async () => {
    const table = await createTable();
    await table.put({ n: 1 });
    let failures = 2;
    const { records, drain } = follow(table, () => {
      failures -= 1;
      if (failures >= 0) throw new Error('a defect');
    });
    await expect(drain()).rejects.toThrow('a defect');
    await table.put({ n: 2 });
    await expect(drain()).rejects.toThrow('a defect');
    await drain();
    expect(values(records)).toEqual(['1', '2']);
  });

  test('comes as far as the function accepts it, and the rest is passed over for good', async () => {
    const table = await createTable();
    await table.put({ n: 1 });
    await table.put({ n: 2 });
    const inserts = follow(table, undefined, ({ eventName }) => eventName === 'INSERT');
    await inserts.drain();
    expect(values(inserts.records)).toEqual(['1']);
    const everything = follow(table);
    await everything.drain();
    expect(everything.records).toEqual([]);
  });

  test('comes in batches of a hundred', async () => {
    const table = await createTable();
    for (let n = 1; n <= 101; n += 1) await table.put({ n });
    const sizes: number[] = [];
    const { drain } = follow(table, ({ Records }) => void sizes.push(Records.length));
    await drain();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(101);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
  });
});

import { BatchWriteItemCommand, type BatchWriteItemCommandInput } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoRowRemover } from '../../../aws/dynamo-row-remover.ts';
import { FakeClock } from '../../support/clock.ts';
import { connectDynamo, createTables, TABLES } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { LaneWriter, newWorkspace } from './ports.ts';

jest.setTimeout(60_000);

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describeWithDynamoDb('the row remover on DynamoDB', (getEndpoint) => {
  let client: DynamoDBDocumentClient;
  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    await createTables(client);
  });
  afterAll(() => client.destroy());

  it('deletes just these rows of the lane, any number of them, and again without an error', async () => {
    const ledger = createDynamoLedger(client, TABLES);
    const writer = new LaneWriter(ledger, newWorkspace());
    const other = new LaneWriter(ledger, newWorkspace());
    await writer.send(writer.rows(60));
    await writer.send(writer.rows(60));
    await other.send(other.rows(3));
    const remover = createDynamoRowRemover(client, TABLES.auditTable, new FakeClock());
    await remover.remove(writer.lane, []);
    for (let time = 0; time < 2; time += 1) {
      await remover.remove(writer.lane, [...upTo(112), 112]);
      const left = await ledger.rows(writer.lane, 1, 200);
      expect(left.map(({ seq }) => seq)).toEqual([113, 114, 115, 116, 117, 118, 119, 120]);
    }
    expect((await ledger.rows(other.lane, 1, 10)).length).toBe(3);
  });
});

describe('a throttled deletion', () => {
  const lane = { workspaceId: 'ws_1', lane: 0 };
  const keysOf = (input: BatchWriteItemCommandInput) =>
    (input.RequestItems?.['audit'] ?? []).map(({ DeleteRequest: request }) => request?.Key?.['sk']?.S);

  it('is sent again for what was left unserved, after a wait', async () => {
    const mock = mockClient(DynamoDBDocumentClient);
    mock.on(BatchWriteItemCommand).callsFake((input: BatchWriteItemCommandInput) => {
      const rest = input.RequestItems?.['audit']?.slice(2) ?? [];
      return rest.length === 0 ? {} : { UnprocessedItems: { audit: rest } };
    });
    const clock = new FakeClock();
    const client = connectDynamo('http://localhost');
    await createDynamoRowRemover(client, 'audit', clock).remove(lane, upTo(5));
    const sent = mock.commandCalls(BatchWriteItemCommand).map(({ args }) => keysOf(args[0].input));
    expect(sent.map((keys) => keys.length)).toEqual([5, 3, 1]);
    expect(sent[2]).toEqual(['R#0000000000000005']);
    expect(clock.sleeps).toEqual([50, 100]);
    mock.restore();
  });

  it('that is never served to its end is unavailable', async () => {
    const mock = mockClient(DynamoDBDocumentClient);
    mock.on(BatchWriteItemCommand).callsFake((input: BatchWriteItemCommandInput) => ({
      UnprocessedItems: input.RequestItems,
    }));
    const remover = createDynamoRowRemover(connectDynamo('http://localhost'), 'audit', new FakeClock());
    await expect(remover.remove(lane, [1])).rejects.toMatchObject({ code: 'unavailable' });
    mock.reset();
    mock.on(BatchWriteItemCommand).rejects(new Error('no answer'));
    await expect(remover.remove(lane, [1])).rejects.toMatchObject({ code: 'unavailable' });
    mock.restore();
  });
});

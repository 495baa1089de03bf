import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoSeals } from '../../../aws/dynamo-seals.ts';
import { isBookkeeping, sealKey } from '../../../aws/items.ts';
import type { LeafSegment, SealState, SealStates } from '../../../core/seal/seal-state.ts';
import { connectDynamo, createTables, TABLES } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { MemorySeals } from '../../support/memory-seals.ts';
import { newWorkspace } from './ports.ts';

jest.setTimeout(60_000);

const state = (workspaceId: string, version: number): SealState => ({
  workspaceId,
  version,
  size: 7,
  root: 'a'.repeat(64),
  frontier: ['b'.repeat(64), 'c'.repeat(64), 'd'.repeat(64)],
  checkpoint: 'log.example/ws\n7\nroot\n\n\u2014 log.example/ws signature\n',
  lanes: {
    0: { seq: 5, hash: 'e'.repeat(64), ts: '2026-01-01T00:00:00.000Z' },
    11: { seq: 2, hash: 'f'.repeat(64), ts: '2026-01-01T00:00:00.001Z' },
  },
  sealedAt: 1_767_225_600_000,
  publishedSize: 4,
});
const segment = (lane: number, firstSeq: number, lastSeq: number, firstLeaf: number): LeafSegment => ({
  lane,
  firstSeq,
  lastSeq,
  firstLeaf,
});

/** One suite for both implementations, so that what other tests see in memory holds on DynamoDB. */
function describeSeals(getSeals: () => SealStates): void {
  let seals: SealStates;
  let ws: string;
  beforeEach(() => {
    seals = getSeals();
    ws = newWorkspace();
  });

  test('there is no state before the first', async () => {
    expect(await seals.read(ws)).toBeUndefined();
    expect(await seals.segmentOf(ws, 0, 1)).toBeUndefined();
    expect(await seals.segments(ws, 0, 1, 10)).toEqual([]);
  });

  test('a state comes back as it was written', async () => {
    expect(await seals.replace(state(ws, 1), [])).toBe('replaced');
    expect(await seals.read(ws)).toEqual(state(ws, 1));
    expect(await seals.read(newWorkspace())).toBeUndefined();
    const recovering = { ...state(ws, 2), recovery: { fromSize: 3, rows: 4 } };
    expect(await seals.replace(recovering, [])).toBe('replaced');
    expect(await seals.read(ws)).toEqual(recovering);
  });

  test('only the next version replaces it, and one of several writers succeeds', async () => {
    expect(await seals.replace(state(ws, 2), [])).toBe('changed');
    await seals.replace(state(ws, 1), []);
    for (const version of [1, 3, 4]) expect(await seals.replace(state(ws, version), [])).toBe('changed');
    const sizes = [8, 9, 10];
    const outcomes = await Promise.all(sizes.map((size) => seals.replace({ ...state(ws, 2), size }, [])));
    expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'replaced']);
    expect((await seals.read(ws))?.size).toBe(sizes[outcomes.indexOf('replaced')]);
  });

  test('segments are written with the state that they belong to, or not at all', async () => {
    await seals.replace(state(ws, 1), [segment(0, 1, 5, 0), segment(1, 1, 2, 5)]);
    expect(await seals.replace(state(ws, 1), [segment(0, 6, 9, 7)])).toBe('changed');
    expect(await seals.segmentOf(ws, 0, 6)).toBeUndefined();
    expect(await seals.segmentOf(ws, 1, 2)).toEqual(segment(1, 1, 2, 5));
  });

  test('the segment of a row is the one that holds it', async () => {
    await seals.replace(state(ws, 1), [segment(0, 1, 5, 0), segment(0, 8, 8, 5), segment(11, 1, 3, 6)]);
    await seals.replace(state(ws, 2), [segment(0, 9, 1_000_000_000_000, 9)]);
    const firstLeaf = async (lane: number, seq: number) => (await seals.segmentOf(ws, lane, seq))?.firstLeaf;
    expect(
      await Promise.all([1, 5, 6, 7, 8, 9, 500, 1_000_000_000_001].map((seq) => firstLeaf(0, seq))),
    ).toEqual([0, 0, undefined, undefined, 5, 9, 9, undefined]);
    expect(await firstLeaf(11, 3)).toBe(6);
    expect(await firstLeaf(1, 1)).toBeUndefined();
  });

  test('segments are read on from the one that holds a row', async () => {
    const all = Array.from({ length: 12 }, (_, at) => segment(0, at * 10 + 1, at * 10 + 10, at * 20));
    await seals.replace(state(ws, 1), all);
    expect(await seals.segments(ws, 0, 1, 100)).toEqual(all);
    expect(await seals.segments(ws, 0, 35, 2)).toEqual(all.slice(3, 5));
    expect(await seals.segments(ws, 0, 121, 2)).toEqual([]);
  });

  test('ninety-nine segments fit one transaction', async () => {
    const all = Array.from({ length: 99 }, (_, at) => segment(0, at + 1, at + 1, at * 2));
    expect(await seals.replace(state(ws, 1), all)).toBe('replaced');
    expect(await seals.segments(ws, 0, 1, 100)).toEqual(all);
  });
}

describe('in memory', () => {
  describeSeals(() => new MemorySeals(new MemoryTables()));
});

describeWithDynamoDb('on DynamoDB', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  const TableName = TABLES.vaultTable;
  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    await createTables(client);
  });
  afterAll(() => client.destroy());
  describeSeals(() => createDynamoSeals(client, TableName));

  test('its items are bookkeeping, which explains no change of a tenant', async () => {
    await createDynamoSeals(client, TableName).replace(state(newWorkspace(), 1), [segment(0, 1, 2, 0)]);
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName }));
    expect(items.length).toBeGreaterThan(1);
    expect(items.filter((item) => !isBookkeeping(item))).toEqual([]);
  });

  test('a state that the sealer did not write is refused', async () => {
    const ws = newWorkspace();
    const seals = createDynamoSeals(client, TableName);
    await seals.replace(state(ws, 1), []);
    const { pk, sk } = sealKey(ws);
    const Key = { pk: { S: pk }, sk: { S: sk } };
    const { Item: item = {} } = await client.send(new GetItemCommand({ TableName, Key }));
    const spoiled = [
      { ...item, version: { N: '2' } },
      { ...item, state: { S: 'x' } },
      { ...item, state: { M: { ...item['state']?.M, size: { N: '-1' } } } },
      { ...item, state: { M: { ...item['state']?.M, workspaceId: { S: newWorkspace() } } } },
    ];
    for (const Item of spoiled) {
      await client.send(new PutItemCommand({ TableName, Item }));
      await expect(seals.read(ws)).rejects.toMatchObject({ code: 'internal' });
    }
  });

  test('a table that does not answer is not available', async () => {
    const seals = createDynamoSeals(client, 'no-such-table');
    const ws = newWorkspace();
    const calls = [
      seals.read(ws),
      seals.replace(state(ws, 1), []),
      seals.segmentOf(ws, 0, 1),
      seals.segments(ws, 0, 1, 1),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
  });
});

import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  ScanCommand,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { createBookkeeping } from '../../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import { rowItem } from '../../../aws/items.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { allKinds } from '../../../core/kinds.ts';
import { secretKind, secretVersionKind } from '../../../core/secrets/secret.ts';
import { FakeClock } from '../../support/clock.ts';
import { TABLES } from '../../support/dynamo-tables.ts';
import { noted, ORIGIN } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';
import { sampleSecret } from '../../support/samples.ts';
import { scanned } from '../../support/scanned.ts';
import { LaneWriter } from './ports.ts';

/** Faults that DynamoDB Local never raises. */

const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const dynamo = mockClient(client);
const ledger = createDynamoLedger(client, TABLES);
const store = createDynamoStore(client, TABLES.vaultTable);
const inspector = createDynamoInspector(client, TABLES.vaultTable, allKinds);
const WS = 'ws_1';

beforeEach(() => dynamo.reset());
afterAll(() => client.destroy());

function fault(name: string): Error {
  return Object.assign(new Error(`${name} of a test`), { name });
}

const SHORTAGES = [
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'InternalServerError',
  'TimeoutError',
  'ECONNRESET',
];

async function caught(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function expectUnavailable(work: Promise<unknown>, cause: Error): Promise<void> {
  const error = await caught(work);
  expect(error).toBeInstanceOf(VaultError);
  expect(error).toMatchObject({ code: 'unavailable', retryAfter: 2, cause });
}

function canceled(...codes: (string | { code: string; item: object })[]): TransactionCanceledException {
  return new TransactionCanceledException({
    $metadata: {},
    message: 'of a test',
    CancellationReasons: codes.map((reason) =>
      typeof reason === 'string' ? { Code: reason } : { Code: reason.code, Item: marshall(reason.item) },
    ),
  });
}

describe('appending a row alone', () => {
  const send = () => new LaneWriter(ledger, WS).append();

  it.each(SHORTAGES)('%s is unavailable', async (name) => {
    const cause = fault(name);
    dynamo.on(PutCommand).rejects(cause);
    await expectUnavailable(send(), cause);
  });

  it('a transaction at work on the same key is contention', async () => {
    dynamo.on(PutCommand).rejects(fault('TransactionConflictException'));
    expect(await send()).toEqual({ status: 'contended' });
  });

  it('a refused condition that does not say what lies there is not taken for an answer', async () => {
    const cause = new ConditionalCheckFailedException({ $metadata: {}, message: '' });
    dynamo.on(PutCommand).rejects(cause);
    await expectUnavailable(send(), cause);
  });

  it('a request that DynamoDB calls invalid stays a defect', async () => {
    dynamo.on(PutCommand).rejects(fault('ValidationException'));
    expect(await caught(send())).toMatchObject({ name: 'ValidationException' });
  });
});

describe('appending a row with changes', () => {
  const send = () => new LaneWriter(ledger, WS).append(sampleSecret(WS, 'a'), sampleSecret(WS, 'b'));
  const other = new LaneWriter(ledger, WS, 7).rows()[0];
  const occupant = () => {
    if (other === undefined) throw new Error('There is one row.');
    return { code: 'ConditionalCheckFailed', item: rowItem(other) };
  };

  it.each([...SHORTAGES, 'TransactionInProgressException', 'IdempotentParameterMismatchException'])(
    '%s is unavailable',
    async (name) => {
      const cause = fault(name);
      dynamo.on(TransactWriteCommand).rejects(cause);
      await expectUnavailable(send(), cause);
    },
  );

  it.each(['ThrottlingError', 'ProvisionedThroughputExceeded', 'ValidationError'])(
    'a cancellation by %s alone is unavailable',
    async (code) => {
      const cause = canceled('None', 'None', code);
      dynamo.on(TransactWriteCommand).rejects(cause);
      await expectUnavailable(send(), cause);
    },
  );

  it('a cancellation that gives no reasons is unavailable', async () => {
    const cause = new TransactionCanceledException({ $metadata: {}, message: '' });
    dynamo.on(TransactWriteCommand).rejects(cause);
    await expectUnavailable(send(), cause);
  });

  it('a conflict anywhere is contention, though a change is refused besides', async () => {
    dynamo
      .on(TransactWriteCommand)
      .rejects(canceled('None', 'ConditionalCheckFailed', 'TransactionConflict'));
    expect(await send()).toEqual({ status: 'contended' });
  });

  it('a row that is taken comes before a conflict and before refused changes', async () => {
    dynamo
      .on(TransactWriteCommand)
      .rejects(canceled(occupant(), 'ConditionalCheckFailed', 'TransactionConflict'));
    expect(await send()).toMatchObject({ status: 'row_taken', row: { seq: 1, nonce: other?.nonce } });
  });

  it('refused changes are named by their places among the changes', async () => {
    dynamo.on(TransactWriteCommand).rejects(canceled('None', 'None', 'ConditionalCheckFailed'));
    expect(await send()).toEqual({ status: 'change_refused', refused: [1] });
  });

  it('each try of the same bytes carries the same token', async () => {
    dynamo.on(TransactWriteCommand).resolves({});
    const writer = new LaneWriter(ledger, WS);
    const rows = writer.rows();
    for (const _ of [1, 2]) await writer.send(rows, [sampleSecret(WS, 'a')]);
    const tokens = dynamo
      .commandCalls(TransactWriteCommand)
      .map(({ args }) => args[0].input.ClientRequestToken);
    expect(tokens).toEqual([rows[0]?.nonce, rows[0]?.nonce]);
  });
});

describe('the trail over a table in trouble', () => {
  const trail = () => createAuditTrail({ ledger, clock: new FakeClock(), random: new SeededRandom(1) });

  it('rides out conflicts, throttling and lost answers, sending the same bytes', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    dynamo.on(GetItemCommand).resolves({});
    dynamo
      .on(PutCommand)
      .rejectsOnce(fault('TransactionConflictException'))
      .rejectsOnce(fault('ThrottlingException'))
      .rejectsOnce(fault('TimeoutError'))
      .resolves({});
    expect(await trail().commit(ORIGIN, [noted('a')])).toEqual([{ lane: 0, seq: 1 }]);
    const nonces = dynamo.commandCalls(PutCommand).map(({ args }) => String(args[0].input.Item?.['eid']));
    expect(nonces).toHaveLength(4);
    expect(new Set(nonces).size).toBe(1);
  });

  it('gives up after bounded tries, with a time to come back', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    dynamo.on(PutCommand).rejects(fault('ThrottlingException'));
    const error = await caught(trail().commit(ORIGIN, [noted('a')]));
    expect(error).toMatchObject({ code: 'unavailable', retryAfter: 2 });
    expect(dynamo.commandCalls(PutCommand)).toHaveLength(10);
  });

  it('does not repeat a request that is a defect', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [] });
    dynamo.on(PutCommand).rejects(fault('ValidationException'));
    expect(await caught(trail().commit(ORIGIN, [noted('a')]))).toMatchObject({ name: 'ValidationException' });
    expect(dynamo.commandCalls(PutCommand)).toHaveLength(1);
  });
});

const lane = { workspaceId: WS, lane: 0 };
const bookkeeping = () => createBookkeeping(client, TABLES.vaultTable);
const tally = { minute: 1, workspaceId: WS, ip: '198.51.100.1', reason: 'unknown' };

it.each<[string, () => Promise<unknown>]>([
  ['ledger.lastRow', () => ledger.lastRow(lane)],
  ['ledger.row', () => ledger.row(lane, 1)],
  ['ledger.rows', () => ledger.rows(lane, 1, 1)],
  ['store.get', () => store.get(secretKind, WS, 'a')],
  ['store.getMany', () => store.getMany(secretKind, WS, ['a'])],
  ['store.list', () => store.list(secretKind, { list: 'x', limit: 1 })],
  ['store.getWithNewest', () => store.getWithNewest(secretKind, secretVersionKind, WS, 'a')],
  ['store.listChildren', () => store.listChildren(secretVersionKind, WS, 'a', { limit: 1 })],
  ['inspector.inspect', () => inspector.inspect(WS, [{ kind: 'secret', id: 'a' }])],
  ['inspector.scanPage', () => inspector.scanPage()],
  ['bookkeeping.markKeyUsed', () => bookkeeping().markKeyUsed(WS, 'key_a', 1_000_000)],
  ['bookkeeping.lastUsed', () => bookkeeping().lastUsed(WS, ['key_a'])],
  ['bookkeeping.count', () => bookkeeping().count(tally)],
  ['bookkeeping.tallies', () => bookkeeping().tallies(1)],
  ['bookkeeping.sweptUntil', () => bookkeeping().sweptUntil()],
  ['bookkeeping.markSwept', () => bookkeeping().markSwept(1)],
])('%s of a throttled table is unavailable, and of an invalid request a defect', async (_, call) => {
  const cause = fault('ThrottlingException');
  dynamo.rejects(cause);
  await expectUnavailable(call(), cause);
  dynamo.rejects(fault('ValidationException'));
  expect(await caught(call())).toMatchObject({ name: 'ValidationException' });
});

describe('a batch', () => {
  const left = {
    UnprocessedKeys: { [TABLES.vaultTable]: { Keys: [marshall({ pk: 'E#ws_1#secret#a', sk: '~' })] } },
  };

  it('that is served in parts is asked for again, only for the rest', async () => {
    dynamo.on(BatchGetItemCommand).resolvesOnce(left).resolvesOnce(left).resolves({});
    await store.getMany(secretKind, WS, ['a', 'b']);
    const asked = dynamo
      .commandCalls(BatchGetItemCommand)
      .map(({ args }) => args[0].input.RequestItems?.[TABLES.vaultTable]?.Keys?.length);
    expect(asked).toEqual([2, 1, 1]);
  });

  it('that is never served is unavailable after bounded tries', async () => {
    dynamo.on(BatchGetItemCommand).resolves(left);
    expect(await caught(store.getMany(secretKind, WS, ['a']))).toMatchObject({ code: 'unavailable' });
    expect(dynamo.commandCalls(BatchGetItemCommand)).toHaveLength(20);
  });

  it('of no keys asks nothing', async () => {
    expect(await store.getMany(secretKind, WS, [])).toEqual([]);
    expect(dynamo.calls()).toEqual([]);
  });
});

it('a scan goes on to its last page', async () => {
  const next = marshall({ pk: 'E#a\n"', sk: '~' });
  dynamo.on(ScanCommand).resolvesOnce({ Items: [], LastEvaluatedKey: next }).resolves({ Items: [] });
  expect(await scanned(inspector)).toEqual([]);
  expect(dynamo.commandCalls(ScanCommand).map(({ args }) => args[0].input.ExclusiveStartKey)).toEqual([
    undefined,
    next,
  ]);
});

describe('the mark of last use', () => {
  it('that another instance made a moment ago is no error', async () => {
    dynamo.on(UpdateCommand).rejects(new ConditionalCheckFailedException({ $metadata: {}, message: '' }));
    await bookkeeping().markKeyUsed(WS, 'key_a', 1_000_000);
    expect(dynamo.commandCalls(UpdateCommand)).toHaveLength(1);
  });

  it('costs no call within five minutes in one process', async () => {
    dynamo.on(UpdateCommand).resolves({});
    const marks = bookkeeping();
    for (const now of [1_000_000, 1_000_001, 1_299_999]) await marks.markKeyUsed(WS, 'key_a', now);
    expect(dynamo.commandCalls(UpdateCommand)).toHaveLength(1);
    await marks.markKeyUsed(WS, 'key_a', 1_300_000);
    expect(dynamo.commandCalls(UpdateCommand)).toHaveLength(2);
  });
});

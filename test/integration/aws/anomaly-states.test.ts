import { GetItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { createDynamoAnomalyStates } from '../../../aws/dynamo-anomaly-states.ts';
import { isBookkeeping } from '../../../aws/items.ts';
import type { ActorProfile, AnomalyStates, WorkspaceProfile } from '../../../core/anomaly/anomaly-states.ts';
import { connectDynamo, createTables, TABLES } from '../../support/dynamo-tables.ts';
import { describeWithDynamoDb } from '../../support/dynamodb.ts';
import { MemoryAnomalyStates } from '../../support/memory-anomaly-states.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { newWorkspace } from './ports.ts';

jest.setTimeout(60_000);

const EXPIRES_AT = Date.parse('2027-04-05T00:00:00.500Z');
const ACTOR = `api_key#key_${'1'.repeat(32)}`;

const profile = (version: number): WorkspaceProfile => ({
  version,
  leaseUntil: 12,
  failures: 2,
  generation: 'abc',
  next: { '0': 7, '1': 2, '11': 1 },
  through: { '0': 9 },
  raiseFrom: 1_767_225_600_000,
  settings: { volume: { enabled: false, factor: 2.5 } },
  told: { since: 5, kinds: { brute_force: ['a1b2'] } },
  states: { loginSpike: { '\u0000é"\ud83d\ude00': [1.5, null, true] } },
});
const actorProfile = (version: number): ActorProfile => ({
  version,
  generation: 'abc',
  seen: { '0': 9 },
  states: { volume: { weeks: Array(168).fill(0.25) } },
});
const contentOf = <T extends { readonly version: number }>({ version: _version, ...content }: T) => content;

/** What every `AnomalyStates` must do. */
function describeStates(getStates: () => AnomalyStates): void {
  let ws: string;
  beforeEach(() => {
    ws = newWorkspace();
  });
  const states = () => getStates();

  it('keeps a profile of a workspace as it is, to the last member', async () => {
    expect(await states().read(ws)).toBeUndefined();
    expect(await states().replace(ws, profile(1))).toBe('replaced');
    expect(await states().read(ws)).toEqual({ version: 1, content: contentOf(profile(1)) });
    expect(await states().read(newWorkspace())).toBeUndefined();
  });

  it('replaces only the profile that was read', async () => {
    expect(await states().replace(ws, profile(2))).toBe('changed');
    expect(await states().replace(ws, profile(1))).toBe('replaced');
    expect(await states().replace(ws, profile(1))).toBe('changed');
    expect(await states().replace(ws, profile(3))).toBe('changed');
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => states().replace(ws, profile(2))));
    expect(outcomes.toSorted()).toEqual(['changed', 'changed', 'changed', 'replaced']);
  });

  it('keeps profiles of actors, each on its own', async () => {
    const names = [ACTOR, `user#${'x'.repeat(300)}`, 'user#\u00e9#~'];
    for (const name of names) {
      expect(await states().replaceActor(ws, name, actorProfile(2), EXPIRES_AT)).toBe('changed');
      expect(await states().replaceActor(ws, name, actorProfile(1), EXPIRES_AT)).toBe('replaced');
      expect(await states().replaceActor(ws, name, actorProfile(1), EXPIRES_AT)).toBe('changed');
    }
    expect(await states().replaceActor(ws, ACTOR, actorProfile(2), EXPIRES_AT)).toBe('replaced');
    const found = await states().readActors(ws, [...names, 'user#nobody']);
    expect([...found.keys()].toSorted()).toEqual(names.toSorted());
    expect(found.get(ACTOR)).toEqual({ version: 2, content: contentOf(actorProfile(2)) });
    expect(await states().readActors(newWorkspace(), names)).toEqual(new Map());
    expect(await states().read(ws)).toBeUndefined();
  });

  it('reads any number of actors', async () => {
    const names = Array.from({ length: 250 }, (_, index) => `api_key#key_${index}`);
    for (const name of names.filter((_, index) => index % 50 === 7))
      await states().replaceActor(ws, name, actorProfile(1), EXPIRES_AT);
    expect([...(await states().readActors(ws, names)).keys()].toSorted()).toEqual(
      ['7', '57', '107', '157', '207'].map((index) => `api_key#key_${index}`).toSorted(),
    );
    expect(await states().readActors(ws, [])).toEqual(new Map());
  });
}

describe('in memory', () => {
  const memory = new MemoryAnomalyStates(new MemoryTables());
  describeStates(() => memory);
});

describeWithDynamoDb('on DynamoDB', (getEndpoint) => {
  let client: ReturnType<typeof connectDynamo>;
  beforeAll(async () => {
    client = connectDynamo(getEndpoint());
    await createTables(client);
  });
  afterAll(() => client.destroy());
  const states = () => createDynamoAnomalyStates(client, TABLES.vaultTable);
  describeStates(states);

  const keyOf = (ws: string) => ({ pk: { S: `B#anomaly#${ws}` }, sk: { S: '~' } });
  const put = (Item: PutItemCommand['input']['Item']) =>
    client.send(new PutItemCommand({ TableName: TABLES.vaultTable, Item }));

  it('lets the table forget an actor in the second after it expired', async () => {
    const ws = newWorkspace();
    await states().replaceActor(ws, ACTOR, actorProfile(1), EXPIRES_AT);
    const Key = { ...keyOf(ws), sk: { S: `A#${ACTOR}` } };
    const { Item: item } = await client.send(new GetItemCommand({ TableName: TABLES.vaultTable, Key }));
    expect(item?.['ttl']).toEqual({ N: String(Math.ceil(EXPIRES_AT / 1000)) });
  });

  it('stores nothing but bookkeeping', async () => {
    const ws = newWorkspace();
    await states().replace(ws, profile(1));
    await states().replaceActor(ws, ACTOR, actorProfile(1), EXPIRES_AT);
    const { Items: items = [] } = await client.send(new ScanCommand({ TableName: TABLES.vaultTable }));
    expect(items.length).toBeGreaterThan(1);
    expect(items.filter((item) => !isBookkeeping(item))).toEqual([]);
  });

  it.each([
    { version: { S: '7' }, state: { S: '{}' } },
    { version: { NULL: true }, state: { S: '{}' } },
    { state: { S: '{}' } },
  ])('gives what has no version, such as %j, the version 0, and replaces it', async (damaged) => {
    const ws = newWorkspace();
    await put({ ...keyOf(ws), ...damaged });
    expect(await states().read(ws)).toEqual({ version: 0, content: {} });
    expect(await states().replace(ws, profile(1))).toBe('replaced');
    expect(await states().replace(ws, profile(1))).toBe('changed');
  });

  it.each([{ S: '{"next":' }, { N: '5' }, { B: Uint8Array.of(1) }, { M: {} }])(
    'gives a state that is no JSON, such as %j, without content',
    async (state) => {
      const ws = newWorkspace();
      await put({ ...keyOf(ws), version: { N: '4' }, state });
      await put({ pk: keyOf(ws).pk, sk: { S: `A#${ACTOR}` }, version: { N: '4' }, state });
      const found = await states().read(ws);
      expect(found?.version).toBe(4);
      expect((await states().readActors(ws, [ACTOR])).get(ACTOR)?.version).toBe(4);
      expect(await states().replace(ws, profile(5))).toBe('replaced');
      expect(await states().replaceActor(ws, ACTOR, actorProfile(5), EXPIRES_AT)).toBe('replaced');
    },
  );

  it('says unavailable when the table does not answer', async () => {
    const lost = createDynamoAnomalyStates(client, 'no-such-table');
    const calls = [
      lost.read('ws_1'),
      lost.replace('ws_1', profile(1)),
      lost.readActors('ws_1', [ACTOR]),
      lost.replaceActor('ws_1', ACTOR, actorProfile(1), EXPIRES_AT),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
  });
});

import {
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { canonicalJson, type Json } from '../core/kernel/canonical-json.ts';
import { concurrently } from '../core/kernel/concurrently.ts';
import { unavailable, VaultError } from '../core/kernel/errors.ts';
import type { Clock, Random } from '../core/kernel/ports.ts';
import { RestoreRefused } from '../core/restore/restore-refused.ts';
import type { Written } from '../core/restore/restore-tables.ts';
import { batchGet } from './batch-get.ts';
import { storeUnavailable } from './dynamo-client.ts';
import type { ItemKey, RawItem } from './items.ts';

/** What one BatchWriteItem takes: so many puts, and 16 MB, which as many items of the vault never have. */
const MAX_PUTS = 25;
/** Puts of rows side by side, within one call. A lane is one partition, which takes 1,000 write units a second. */
const ROWS_AT_ONCE = 25;
/** More rounds than this mean that a write is not served. */
const MAX_ROUNDS = 16;
const FIRST_DELAY_MS = 25;
const MAX_DELAY_MS = 10_000;

type Outcome = Pick<Written, 'written' | 'same'>;

/** Chance and time, for waits. */
export interface Waiting {
  readonly clock: Clock;
  readonly random: Random;
}

/** Puts rows one by one, each only where there is none. @throws RestoreRefused `different_item` */
export async function putRows(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly RawItem[],
  waiting: Waiting,
): Promise<Outcome> {
  const outcomes = await concurrently(items, ROWS_AT_ONCE, (item) =>
    patiently(waiting, () => putRow(client, table, item)),
  );
  const written = outcomes.filter((outcome) => outcome === 'written').length;
  return { written, same: outcomes.length - written };
}

/** Sent again after an answer that was lost, it finds itself. */
async function putRow(
  client: DynamoDBDocumentClient,
  table: string,
  item: RawItem,
): Promise<'written' | 'same'> {
  const command = new PutItemCommand({
    TableName: table,
    Item: item,
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  try {
    await client.send(command);
    return 'written';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw storeUnavailable(error);
    checkSame(table, item, error.Item ?? {});
    return 'same';
  }
}

/**
 * Puts entities in batches.
 *
 * @param isResumed whether some may be there already: batches know no conditions, so it is looked for them first.
 * @throws RestoreRefused `different_item`
 */
export async function putEntities(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly RawItem[],
  isResumed: boolean,
  waiting: Waiting,
): Promise<Outcome> {
  const missing = isResumed ? await withoutSame(client, table, items) : items;
  for (let start = 0; start < missing.length; start += MAX_PUTS)
    await putBatch(client, table, missing.slice(start, start + MAX_PUTS), waiting);
  return { written: missing.length, same: items.length - missing.length };
}

async function withoutSame(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly RawItem[],
): Promise<readonly RawItem[]> {
  const there = await batchGet(client, table, items.map(keyOf)).catch((error) => {
    throw storeUnavailable(error);
  });
  const byKey = new Map(there.map((item) => [keyText(item), item]));
  return items.filter((item) => {
    const found = byKey.get(keyText(item));
    if (found !== undefined) checkSame(table, item, found);
    return found === undefined;
  });
}

async function putBatch(
  client: DynamoDBDocumentClient,
  table: string,
  items: readonly RawItem[],
  waiting: Waiting,
): Promise<void> {
  let open = items.map((Item) => ({ PutRequest: { Item } }));
  await patiently(waiting, async () => {
    try {
      const answer = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: open } }));
      open = (answer.UnprocessedItems?.[table] ?? []).flatMap(({ PutRequest: request }) =>
        request?.Item === undefined ? [] : [{ PutRequest: { Item: request.Item } }],
      );
    } catch (error) {
      throw storeUnavailable(error);
    }
    if (open.length > 0) throw unavailable('The table leaves part of a batch unserved. Try again.');
  });
}

/** Carries out a write that may be repeated, until it is served: a table that is new takes some minutes to grow. */
async function patiently<T>({ clock, random }: Waiting, work: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (error) {
      const isWorthIt = error instanceof VaultError && error.code === 'unavailable' && round < MAX_ROUNDS;
      if (!isWorthIt) throw error;
      await clock.sleep(jitter(Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** round), random));
    }
  }
}

/** Full jitter: a random wait below `bound` milliseconds. */
function jitter(bound: number, random: Random): number {
  const [byte = 0] = random.bytes(1);
  return Math.floor((byte / 256) * bound);
}

/** @throws RestoreRefused `different_item` */
function checkSame(table: string, item: RawItem, found: RawItem): void {
  if (itemText(item) === itemText(found)) return;
  const { pk, sk } = keyOf(item);
  throw new RestoreRefused(
    'different_item',
    `The table ${table} holds another item than the backup at ${pk} ${sk}: something else has written there. Hold all functions, make the tables anew, and begin again.`,
  );
}

function keyText(item: RawItem): string {
  return JSON.stringify(keyOf(item));
}

function itemText(item: RawItem): string {
  return canonicalJson(jsonOf(item));
}

function jsonOf(value: unknown): Json {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, jsonOf(member)]));
}

export function keyOf({ pk, sk }: RawItem): ItemKey {
  return { pk: pk?.S ?? '', sk: sk?.S ?? '' };
}

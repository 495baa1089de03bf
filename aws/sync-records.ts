import { DeleteCommand, type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { VaultError } from '../core/kernel/errors.ts';
import { parseJson } from '../core/kernel/parse-json.ts';
import {
  type CopyNote,
  copyNoteSchema,
  NOTE_LIFE_MS,
  type StoredSyncState,
  type SyncRecords,
  syncStateSchema,
} from '../core/secrets-sync/sync-records.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { BOOKKEEPING_PREFIX, type Item, type ItemKey } from './items.ts';
import { readState, replaceVersioned, stateItem } from './versioned-item.ts';

/** The state as it is stored, with the version that its item has. */
const storedSchema = z.strictObject({ version: z.int().min(1), state: syncStateSchema });

/** A page of a query has 1 MB at most: some thousand notes. */
const PAGE = 2_000;
const NOTE_PREFIX = 'C#';

/**
 * The `SyncRecords` port on the table `vault`, as bookkeeping:
 *
 * - how a workspace's sync goes: pk `B#sync#<workspace>`, sk `~`;
 * - what is known of a copy: the same pk, sk `C#<secret>`, with a `ttl`.
 *
 * 10,000 notes are about 3 MB: three or four queries for each run, and one write for each copy that changed.
 */
export function createDynamoSyncRecords(client: DynamoDBDocumentClient, table: string): SyncRecords {
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });

  return {
    read: (workspaceId) =>
      readState(client, table, stateKey(workspaceId), storedSchema, damaged(workspaceId)),

    replace: (workspaceId, before, state) => {
      const version = before + 1;
      const stored: StoredSyncState = { version, state };
      return replaceVersioned(client, table, stateItem(stateKey(workspaceId), stored));
    },

    async notes(workspaceId, after) {
      const pk = syncKey(workspaceId);
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :sync AND begins_with(sk, :notes)',
        ExpressionAttributeValues: { ':sync': pk, ':notes': NOTE_PREFIX },
        Limit: PAGE,
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
      });
      const { Items: items = [], LastEvaluatedKey: last } = await send(client.send(command));
      const notes = items.map((item) => readNote(workspaceId, item));
      return { items: notes, ...(last === undefined ? {} : { next: String(last['sk']) }) };
    },

    async note(workspaceId, note) {
      const Item: Item = {
        ...noteKey(workspaceId, note.secretId),
        state: JSON.stringify(note),
        version: 1,
        // DynamoDB's time to live counts whole seconds.
        ttl: Math.ceil((note.lookedAt + NOTE_LIFE_MS) / 1000),
      };
      await send(client.send(new PutCommand({ TableName: table, Item })));
    },

    async forget(workspaceId, secretId) {
      await send(client.send(new DeleteCommand({ TableName: table, Key: noteKey(workspaceId, secretId) })));
    },
  };
}

function readNote(workspaceId: string, item: Item): CopyNote {
  try {
    return copyNoteSchema.parse(parseJson(String(item['state'])));
  } catch (cause) {
    throw new VaultError('internal', damaged(workspaceId), { cause });
  }
}

function syncKey(workspaceId: string): string {
  return `${BOOKKEEPING_PREFIX}sync#${workspaceId}`;
}

function stateKey(workspaceId: string): ItemKey {
  return { pk: syncKey(workspaceId), sk: '~' };
}

function noteKey(workspaceId: string, secretId: string): ItemKey {
  return { pk: syncKey(workspaceId), sk: `${NOTE_PREFIX}${secretId}` };
}

function damaged(workspaceId: string): string {
  return `What is noted of the secrets sync of ${workspaceId} is damaged. Delete the items of ${syncKey(workspaceId)} in the table to begin anew.`;
}

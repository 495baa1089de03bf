import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type * as z from 'zod';
import { BackupFault } from '../core/backup/backup-fault.ts';
import type { BackupTable } from '../core/backup/layout.ts';
import {
  type RestoreTables,
  restoredWorkspaceSchema,
  restoreStateSchema,
} from '../core/restore/restore-tables.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { readExportedItem } from './dynamo-json.ts';
import { BOOKKEEPING_PREFIX, type RawItem, readLaneKey } from './items.ts';
import { keyOf, putEntities, putRows, type Waiting } from './restored-items.ts';
import { readState, replaceVersioned, stateItem } from './versioned-item.ts';

/** What a restore keeps in the table it fills, as bookkeeping: its state at sk `~`, and each workspace at sk its id. */
const RESTORE_PK = `${BOOKKEEPING_PREFIX}restore`;
const STATE_SK = '~';
const DAMAGED = 'What an earlier run of the restore noted in the table is damaged. Make the tables anew.';

/**
 * Bookkeeping that stays away. What verifiers and detectors knew of rows that are lost would make them miss those that
 * come in their places, and both find it out again; counts of past minutes count nothing any more; and what an earlier
 * restore noted is of another table.
 */
const DROPPED: readonly string[] = ['verify', 'anomaly#', 'tally', 'limit#', 'restore'].map(
  (name) => `${BOOKKEEPING_PREFIX}${name}`,
);

interface Tables {
  readonly vaultTable: string;
  readonly auditTable: string;
}

/**
 * The `RestoreTables` port on two tables of DynamoDB.
 *
 * Rows are put one by one, each on the condition that there is none: the audit table's own policy allows nothing else.
 * Entities come in batches, which know no conditions; so they are written into a table that was empty, or that was looked
 * at before.
 */
export function createDynamoRestore(
  client: DynamoDBDocumentClient,
  { vaultTable, auditTable }: Tables,
  parts: Waiting,
): RestoreTables {
  const send = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw storeUnavailable(error);
    });
  const isEmpty = async (table: string): Promise<boolean> => {
    // A page may be empty though the table is not: the last page has no key to go on after.
    const command = new ScanCommand({ TableName: table, Limit: 1, ConsistentRead: true });
    const { Items: items = [], LastEvaluatedKey: last } = await send(client.send(command));
    return items.length === 0 && last === undefined;
  };
  const stateKey = (sk: string) => ({ pk: RESTORE_PK, sk });
  const read = <T>(sk: string, schema: z.ZodType<T>): Promise<T | undefined> =>
    readState(client, vaultTable, stateKey(sk), schema, DAMAGED);
  const replace = (sk: string, next: { readonly version: number }) =>
    replaceVersioned(client, vaultTable, stateItem(stateKey(sk), next));

  return {
    areEmpty: async () => (await isEmpty(vaultTable)) && (await isEmpty(auditTable)),
    readState: () => read(STATE_SK, restoreStateSchema),
    replaceState: (next) => replace(STATE_SK, next),
    readWorkspace: (workspaceId) => read(workspaceId, restoredWorkspaceSchema),
    replaceWorkspace: (next) => replace(next.workspaceId, next),

    async workspaces() {
      const found: string[] = [];
      let from: Record<string, unknown> | undefined;
      do {
        const { Items: items = [], LastEvaluatedKey: last } = await send(
          client.send(
            new QueryCommand({
              TableName: vaultTable,
              KeyConditionExpression: 'pk = :restore',
              ExpressionAttributeValues: { ':restore': RESTORE_PK },
              ProjectionExpression: 'sk',
              ConsistentRead: true,
              ...(from === undefined ? {} : { ExclusiveStartKey: from }),
            }),
          ),
        );
        found.push(...items.map(({ sk }) => String(sk)));
        from = last;
      } while (from !== undefined);
      return found.filter((sk) => sk !== STATE_SK);
    },

    async write(table, lines, isResumed) {
      const items = lines.map((line) => readLine(table, line));
      const alive = items.filter((item) => !isExpired(item, parts.clock.now()));
      const kept = table === 'audit' ? alive : alive.filter((item) => !isDropped(item));
      const counts = {
        expired: items.length - alive.length,
        dropped: alive.length - kept.length,
        workspaces: new Set(table === 'audit' ? kept.map(workspaceOf) : []),
      };
      const outcome =
        table === 'audit'
          ? await putRows(client, auditTable, kept, parts)
          : await putEntities(client, vaultTable, kept, isResumed, parts);
      return { ...outcome, ...counts };
    },
  };
}

/** @throws VaultError `internal` for what the restore did not write. */
function readLine(table: BackupTable, line: string): RawItem {
  const item = readExportedItem(line);
  const isKeyed = item?.['pk']?.S !== undefined && item['sk']?.S !== undefined;
  if (item !== undefined && isKeyed) return item;
  throw new BackupFault('malformed', table, 'A line of its data is no item of this table.');
}

/** DynamoDB's time to live counts whole seconds. */
function isExpired({ ttl }: RawItem, now: number): boolean {
  return ttl?.N !== undefined && Number(ttl.N) * 1000 <= now;
}

function isDropped(item: RawItem): boolean {
  const { pk } = keyOf(item);
  return DROPPED.some((prefix) => pk.startsWith(prefix));
}

function workspaceOf(item: RawItem): string {
  return readLaneKey(keyOf(item).pk).workspaceId;
}

import { createHash } from 'node:crypto';
import type { DevConfig } from '../dev-config.ts';
import { StoryError } from './client.ts';

/** An attribute as DynamoDB's wire protocol has it. */
type AttributeValue = { readonly S?: string; readonly B?: string; readonly N?: string };
type RawItem = Readonly<Record<string, AttributeValue>>;

interface Found {
  readonly Item?: RawItem;
  readonly Items?: readonly RawItem[];
  readonly LastEvaluatedKey?: RawItem;
}

/** What the bytes of an audit row say, as far as the story reads them. */
interface RowText {
  readonly action: string;
  readonly detail: Readonly<Record<string, string>>;
}

export interface Insider {
  /** The newest rows of a workspace's lane 0, newest first: all but what strangers did. */
  newestRows(workspaceId: string, count: number): Promise<readonly RowText[]>;
  /** Rewrites the bytes of an audit row, so that the text says something else. */
  editRow(workspaceId: string, eventId: string, edit: (text: string) => string): Promise<void>;
  /**
   * Rewrites the bytes of a row and then, with fresh hashes, every row after it in its lane, so that the chain holds.
   * Nothing puts that back. Gives the number of rows written.
   */
  rechain(workspaceId: string, eventId: string, edit: (text: string) => string): Promise<number>;
  /** Changes the role in a stored API key. */
  editRole(apiKeyId: string, role: string): Promise<void>;
  /** Puts everything back exactly as it was. May be called twice. */
  undo(): Promise<void>;
}

/** Of DynamoDB. */
const MAX_TRANSACTION_ITEMS = 100;

/** Somebody with write access to the tables, who knows their keys and goes around the vault. */
export function createInsider({
  dynamodbEndpoint,
  region,
  auditTable,
  vaultTable,
}: DevConfig['aws']): Insider {
  const originals: { readonly table: string; readonly item: RawItem }[] = [];

  const call = async (operation: string, input: unknown): Promise<Found> => {
    const answer = await fetch(dynamodbEndpoint, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-amz-json-1.0',
        'X-Amz-Target': `DynamoDB_20120810.${operation}`,
        // DynamoDB Local wants a signature's form and checks none.
        Authorization: `AWS4-HMAC-SHA256 Credential=insider/20260101/${region}/dynamodb/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const text = await answer.text();
    if (!answer.ok) throw new StoryError(`DynamoDB answered ${operation} with ${answer.status}: ${text}`);
    return JSON.parse(text) as Found;
  };

  const edit = async (table: string, pk: string, sk: string, change: (item: RawItem) => RawItem) => {
    const Key = { pk: { S: pk }, sk: { S: sk } };
    const { Item: item } = await call('GetItem', { TableName: table, Key, ConsistentRead: true });
    if (item === undefined) throw new StoryError(`The table ${table} has no item ${pk} ${sk} to edit.`);
    originals.push({ table, item });
    await call('PutItem', { TableName: table, Item: { ...item, ...change(item) } });
  };

  return {
    async newestRows(workspaceId, count) {
      const { Items: items = [] } = await call('Query', {
        TableName: auditTable,
        KeyConditionExpression: 'pk = :lane AND begins_with(sk, :row)',
        ExpressionAttributeValues: { ':lane': { S: `A#${workspaceId}#0` }, ':row': { S: 'R#' } },
        ScanIndexForward: false,
        Limit: count,
        ConsistentRead: true,
      });
      return items.map(({ b }) => JSON.parse(Buffer.from(b?.B ?? '', 'base64').toString('utf8')) as RowText);
    },
    async editRow(workspaceId, eventId, editText) {
      const [lane, seq = ''] = eventId.split('-');
      await edit(auditTable, `A#${workspaceId}#${lane}`, `R#${seq.padStart(16, '0')}`, ({ b }) => {
        const text = Buffer.from(b?.B ?? '', 'base64').toString('utf8');
        const edited = editText(text);
        if (edited === text) throw new StoryError(`The edit of event ${eventId} changed nothing.`);
        return { b: { B: Buffer.from(edited, 'utf8').toString('base64') } };
      });
    },
    async rechain(workspaceId, eventId, editText) {
      const [lane, seq = ''] = eventId.split('-');
      const rows: RawItem[] = [];
      let from: RawItem | undefined;
      do {
        const { Items: items = [], LastEvaluatedKey: last } = await call('Query', {
          TableName: auditTable,
          KeyConditionExpression: 'pk = :lane AND sk >= :first',
          ExpressionAttributeValues: {
            ':lane': { S: `A#${workspaceId}#${lane}` },
            ':first': { S: `R#${seq.padStart(16, '0')}` },
          },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        });
        rows.push(...items);
        from = last;
      } while (from !== undefined);
      let prev: string | undefined;
      const forged = rows.map((row) => {
        const text = Buffer.from(row['b']?.B ?? '', 'base64').toString('utf8');
        const edited =
          prev === undefined ? editText(text) : text.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`);
        if (edited === text) throw new StoryError(`The edit of event ${eventId} changed nothing.`);
        const bytes = Buffer.from(edited, 'utf8');
        const hash = createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest();
        prev = hash.toString('hex');
        return { ...row, b: { B: bytes.toString('base64') }, h: { B: hash.toString('base64') } };
      });
      // As many at once as there may be.
      for (let start = 0; start < forged.length; start += MAX_TRANSACTION_ITEMS) {
        const slice = forged.slice(start, start + MAX_TRANSACTION_ITEMS);
        const TransactItems = slice.map((Item) => ({ Put: { TableName: auditTable, Item } }));
        await call('TransactWriteItems', { TransactItems });
      }
      return rows.length;
    },
    async editRole(apiKeyId, role) {
      await edit(vaultTable, `E#*#apiKey#${apiKeyId}`, '~', () => ({ role: { S: role } }));
    },
    async undo() {
      for (const { table, item } of originals.splice(0))
        await call('PutItem', { TableName: table, Item: item });
    },
  };
}

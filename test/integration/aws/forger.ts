import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { createBookkeeping } from '../../../aws/bookkeeping.ts';
import { createDynamoInspector } from '../../../aws/dynamo-inspector.ts';
import { createDynamoLedger } from '../../../aws/dynamo-ledger.ts';
import { createDynamoStore } from '../../../aws/dynamo-store.ts';
import type { ItemKey } from '../../../aws/items.ts';
import type { RequestContext } from '../../../core/access/principal.ts';
import type { LaneRef } from '../../../core/audit/ledger.ts';
import { decodeRow } from '../../../core/audit/row.ts';
import { createAuditTrail } from '../../../core/audit/trail.ts';
import type { Break } from '../../../core/audit/verify-lane.ts';
import { allKinds } from '../../../core/kinds.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { getSecret } from '../../../core/secrets/get-secret.ts';
import { setUp } from '../../../core/workspaces/set-up.ts';
import type { Vault } from '../../../lambdas/shared/compose-vault.ts';
import { type connectDynamo, createTables } from '../../support/dynamo-tables.ts';
import { CALLER, callerWith, memoryVault, SETUP_TOKEN } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';

/** An item as DynamoDB sends it. */
export type Raw = Record<string, AttributeValue>;

/** An attribute's value with more digits than any JavaScript number has: the SDK refuses to convert it. */
export const ODD_NUMBER: AttributeValue = { N: '9007199254740993.5' };

export function rawKey({ pk, sk }: ItemKey): Raw {
  return { pk: { S: pk }, sk: { S: sk } };
}

let made = 0;

/** Somebody who may write the tables of a deployment, but not through the vault: items of any shape, under any key. */
export class Forger {
  readonly client: ReturnType<typeof connectDynamo>;
  readonly tables: { readonly vaultTable: string; readonly auditTable: string };
  readonly vault: Vault;
  ws = '';
  secretId = '';
  #ownerId = '';

  private constructor(client: ReturnType<typeof connectDynamo>) {
    made += 1;
    this.client = client;
    this.tables = { vaultTable: `vault-${made}`, auditTable: `audit-${made}` };
    this.vault = this.newInstance();
  }

  /** A fresh deployment. Lane 0 of its workspace: 1 workspace, 2 lane opened, 3 key, 4 namespace, 5 secret. */
  static async enter(client: ReturnType<typeof connectDynamo>): Promise<Forger> {
    const forger = new Forger(client);
    await createTables(client, forger.tables);
    const input = { setupToken: SETUP_TOKEN, workspaceName: 'Acme' };
    const { workspaceId, apiKey } = await setUp(forger.vault, input, CALLER);
    forger.ws = workspaceId;
    forger.#ownerId = apiKey.id;
    const secret = { namespace: 'prod', name: 'db', value: 'v' };
    forger.secretId = (await createSecret(forger.vault, forger.owner, secret)).id;
    return forger;
  }

  get owner(): RequestContext {
    return callerWith({ workspaceId: this.ws, role: 'owner', id: this.#ownerId });
  }

  get lane0(): LaneRef {
    return { workspaceId: this.ws, lane: 0 };
  }

  /** One more function instance, which knows nothing but the tables. */
  newInstance(): Vault {
    const { client, tables } = this;
    const parts = memoryVault();
    const { clock, random } = parts;
    const ledger = createDynamoLedger(client, tables);
    return {
      ...parts,
      ledger,
      store: createDynamoStore(client, tables.vaultTable),
      inspector: createDynamoInspector(client, tables.vaultTable, allKinds),
      bookkeeping: createBookkeeping(client, tables.vaultTable),
      trail: createAuditTrail({ ledger, clock, random }),
    };
  }

  async put(table: string, item: Raw): Promise<void> {
    await this.client.send(new PutItemCommand({ TableName: table, Item: item }));
  }

  async set(table: string, key: ItemKey, name: string, value: AttributeValue): Promise<void> {
    const command = new UpdateItemCommand({
      TableName: table,
      Key: rawKey(key),
      UpdateExpression: 'SET #name = :value',
      ExpressionAttributeNames: { '#name': name },
      ExpressionAttributeValues: { ':value': value },
    });
    await this.client.send(command);
  }

  async get(table: string, key: ItemKey): Promise<Raw> {
    const { Item } = await this.client.send(
      new GetItemCommand({ TableName: table, Key: rawKey(key), ConsistentRead: true }),
    );
    if (Item === undefined) throw new Error(`There is no item ${key.pk} ${key.sk}.`);
    return Item;
  }

  async empty(table: string, where: (item: Raw) => boolean = () => true): Promise<void> {
    const { Items = [] } = await this.client.send(new ScanCommand({ TableName: table }));
    for (const item of Items.filter(where)) {
      const { pk = { S: '' }, sk = { S: '' } } = item;
      await this.client.send(new DeleteItemCommand({ TableName: table, Key: { pk, sk } }));
    }
  }

  /** Verifies as the nightly job does; fails if it goes round in circles. */
  async broken(): Promise<Record<string, readonly Break[]>> {
    const instance = this.newInstance();
    let reads = 0;
    const rows: Vault['ledger']['rows'] = (...args) => {
      reads += 1;
      if (reads > 100) throw new Error('The verifier reads the same rows again and again.');
      return instance.ledger.rows(...args);
    };
    return brokenWorkspaces({ ...instance, ledger: { ...instance.ledger, rows } });
  }

  /** A request of an instance that starts now is recorded; gives the number of its row. */
  async recorded(): Promise<number> {
    const instance = this.newInstance();
    await getSecret(instance, this.owner, this.secretId);
    const row = await instance.ledger.lastRow(this.lane0);
    expect(row && decodeRow(row.bytes)).toMatchObject({ action: 'secret.read', seq: row?.seq });
    return row?.seq ?? 0;
  }
}

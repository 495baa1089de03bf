import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { transactionUnits } from './write-units.ts';

/**
 * What some work costs on AWS: calls by kind, and capacity units, as DynamoDB says that it consumed them or, for
 * transactions, as {@link transactionUnits} reckons.
 */
export interface Cost {
  /** GetItem, Query, Scan and BatchGetItem, bookkeeping included. */
  readonly reads: number;
  /** PutItem, UpdateItem and DeleteItem. */
  readonly writes: number;
  /** Those of the writes that are bookkeeping: counters, failed logins, and marks of last use. */
  readonly marks: number;
  readonly transactions: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly decrypts: number;
  readonly dataKeys: number;
  readonly signatures: number;
  /** GetObject, HeadObject and ListObjectsV2. */
  readonly objects: number;
}

type Counts = { -readonly [name in keyof Cost]: number };

const READS: ReadonlySet<string> = new Set(['GetItem', 'Query', 'Scan', 'BatchGetItem']);

const OBJECT_READS: ReadonlySet<string> = new Set(['GetObject', 'HeadObject', 'ListObjectsV2']);

const TRANSACTION = 'TransactWriteItems';

/** What an answer of DynamoDB says of capacity: for one table, or for each of several. */
interface Consumption {
  readonly ConsumedCapacity?: Capacity | Capacity[];
}
interface Capacity {
  readonly CapacityUnits?: number;
}

/** Counts the calls of AWS clients, by a middleware of the SDK: what is counted is what is sent. */
export class CallCounter {
  #counts = none();

  /** Counts every call of this client from now on, and has DynamoDB say what each consumed. */
  watchDynamo(client: DynamoDBDocumentClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const name = operation(context.commandName);
        this.#countDynamo(name, args.input);
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' };
        const answer = await next({ ...args, input } as typeof args);
        const { ConsumedCapacity: consumed = [] } = answer.output as Consumption;
        const units = [consumed].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
        if (READS.has(name)) this.#counts.readUnits += units;
        else if (name !== TRANSACTION) this.#counts.writeUnits += units;
        return answer;
      },
      { step: 'initialize', name: 'countCalls' },
    );
  }

  watchKms(client: KMSClient): void {
    client.middlewareStack.add(
      (next, context) => (args) => {
        const name = operation(context.commandName);
        if (name === 'Decrypt') this.#counts.decrypts += 1;
        if (name === 'GenerateDataKey') this.#counts.dataKeys += 1;
        if (name === 'Sign') this.#counts.signatures += 1;
        return next(args);
      },
      { step: 'initialize', name: 'countCalls' },
    );
  }

  watchS3(client: S3Client): void {
    client.middlewareStack.add(
      (next, context) => (args) => {
        if (OBJECT_READS.has(operation(context.commandName))) this.#counts.objects += 1;
        return next(args);
      },
      { step: 'initialize', name: 'countCalls' },
    );
  }

  /** What the calls cost that are made while this work is done, and what it gave. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly cost: Cost; readonly result: T }> {
    this.#counts = none();
    const result = await work();
    return { cost: this.#counts, result };
  }

  #countDynamo(name: string, input: object): void {
    if (READS.has(name)) {
      this.#counts.reads += 1;
    } else if (name === TRANSACTION) {
      this.#counts.transactions += 1;
      this.#counts.writeUnits += transactionUnits(input as TransactWriteCommandInput);
    } else {
      this.#counts.writes += 1;
      if (isBookkeeping(input)) this.#counts.marks += 1;
    }
  }
}

function none(): Counts {
  return {
    reads: 0,
    writes: 0,
    marks: 0,
    transactions: 0,
    readUnits: 0,
    writeUnits: 0,
    decrypts: 0,
    dataKeys: 0,
    signatures: 0,
    objects: 0,
  };
}

function operation(commandName: unknown): string {
  return String(commandName).replace(/Command$/, '');
}

/** Whether a write goes to an item of `aws/bookkeeping.ts`: its key starts with `B#`. */
function isBookkeeping(input: object): boolean {
  return JSON.stringify(Object.values(input)).includes('"B#');
}

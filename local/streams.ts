import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type Shard,
  type _Record as StreamRecord,
} from '@aws-sdk/client-dynamodb-streams';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import type { EventSource } from './event-sources.ts';
import type { Records } from './json-records.ts';
import { toStreamEvent } from './stream-event.ts';

/** How far a function has got in a stream. */
export interface StreamPosition {
  /** Which function on which stream. */
  readonly id: string;
  /** By shard: the last record that the function has taken, or that it has taken all. */
  readonly shards: Readonly<Record<string, ShardPosition>>;
}

type ShardPosition = { readonly after: string } | { readonly done: true };

export interface StreamSourceOptions {
  readonly client: Pick<DynamoDBStreamsClient, 'send'>;
  readonly streamArn: string;
  readonly functionName: string;
  /** Keeps the position from start to start. */
  readonly positions: Records<StreamPosition>;
  /** Which records the function is woken for: the event source's filter on AWS. */
  readonly accepts: (record: StreamRecord) => boolean;
  /** How far time is ahead of the wall clock, in milliseconds. */
  readonly ahead: () => number;
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
}

/** As on AWS. */
const BATCH = 100;

/** What says that an iterator is of no more use, or that the stream has forgotten a position. */
const STALE: ReadonlySet<string> = new Set(['ExpiredIteratorException', 'TrimmedDataAccessException']);

/**
 * Hands the records of a table's stream to a function as Lambda's event source does: in order, from the oldest that the
 * stream still has (24 hours), a parent shard before its children, at least once. A batch that fails comes again.
 */
export function createStreamSource(options: StreamSourceOptions): EventSource {
  const { client, streamArn, functionName, positions } = options;
  const id = `${functionName} ${streamArn}`;
  const iterators = new Map<string, string>();
  let shards: readonly Shard[] | undefined;

  const positionIn = (shardId: string): ShardPosition | undefined => positions.get(id)?.shards[shardId];
  const isDone = (shardId: string): boolean => {
    const position = positionIn(shardId);
    return position !== undefined && 'done' in position;
  };
  /** What the stream has forgotten is forgotten here. */
  const remember = (shardId: string, position: ShardPosition): void => {
    const listed = new Set(shards?.map((shard) => shard.ShardId));
    const known = Object.entries(positions.get(id)?.shards ?? {}).filter(([name]) => listed.has(name));
    positions.put({ id, shards: { ...Object.fromEntries(known), [shardId]: position } });
  };

  const openIterator = async (shardId: string): Promise<string | undefined> => {
    const position = positionIn(shardId);
    const from =
      position !== undefined && 'after' in position
        ? ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position.after } as const)
        : ({ ShardIteratorType: 'TRIM_HORIZON' } as const);
    const request = { StreamArn: streamArn, ShardId: shardId };
    try {
      return (await client.send(new GetShardIteratorCommand({ ...request, ...from }))).ShardIterator;
    } catch (error) {
      if (!isStale(error)) throw error;
      const oldest = { ...request, ShardIteratorType: 'TRIM_HORIZON' } as const;
      return (await client.send(new GetShardIteratorCommand(oldest))).ShardIterator;
    }
  };

  const pollShard = async (shardId: string): Promise<boolean> => {
    const iterator = iterators.get(shardId) ?? (await openIterator(shardId));
    iterators.delete(shardId);
    if (iterator === undefined) throw new Error(`The stream ${streamArn} gave no iterator for ${shardId}.`);
    const { Records: records = [], NextShardIterator: next } = await client.send(
      new GetRecordsCommand({ ShardIterator: iterator, Limit: BATCH }),
    );
    const accepted = records.filter(options.accepts);
    if (accepted.length > 0) await options.invoke(toStreamEvent(streamArn, accepted, options.ahead()));
    const last = records.at(-1)?.dynamodb?.SequenceNumber;
    if (next === undefined) {
      // Its children may begin now, and they may be new.
      remember(shardId, { done: true });
      shards = undefined;
      return true;
    }
    if (last !== undefined) remember(shardId, { after: last });
    iterators.set(shardId, next);
    return records.length > 0;
  };

  return {
    name: `the stream ${streamArn} for the function ${functionName}`,
    async poll() {
      shards ??= await listShards(client, streamArn);
      let any = false;
      for (const shardId of readyShards(shards, isDone)) {
        const had = await pollShard(shardId).catch((error: unknown) => {
          if (isStale(error)) return true;
          throw error;
        });
        any ||= had;
      }
      return any;
    },
  };
}

/** The shards to read now: not read to their end, and their parents are, or are forgotten. */
function readyShards(shards: readonly Shard[], isDone: (shardId: string) => boolean): string[] {
  const ids = new Set(shards.map(({ ShardId }) => ShardId));
  return shards.flatMap(({ ShardId: shardId, ParentShardId: parent }) => {
    const waits = parent !== undefined && ids.has(parent) && !isDone(parent);
    return shardId === undefined || isDone(shardId) || waits ? [] : [shardId];
  });
}

async function listShards(client: Pick<DynamoDBStreamsClient, 'send'>, streamArn: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let after: string | undefined;
  do {
    const { StreamDescription: page } = await client.send(
      new DescribeStreamCommand({
        StreamArn: streamArn,
        ...(after === undefined ? {} : { ExclusiveStartShardId: after }),
      }),
    );
    shards.push(...(page?.Shards ?? []));
    after = page?.LastEvaluatedShardId;
  } while (after !== undefined);
  return shards;
}

function isStale(error: unknown): boolean {
  return error instanceof Error && STALE.has(error.name);
}

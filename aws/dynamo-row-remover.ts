import { type AttributeValue, BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LaneRef } from '../core/audit/ledger.ts';
import { concurrently } from '../core/kernel/concurrently.ts';
import { unavailable } from '../core/kernel/errors.ts';
import type { Clock } from '../core/kernel/ports.ts';
import type { RowRemover } from '../core/retention/row-remover.ts';
import { storeUnavailable } from './dynamo-client.ts';
import { rowKey } from './items.ts';

/** What one BatchWriteItem takes. */
const MAX_DELETES = 25;
/** Batches under way at once: a lane is one partition, which takes 1,000 write units a second. */
const WIDTH = 4;
/** A throttled batch comes back in parts; more rounds than this mean that it is not served. */
const MAX_ROUNDS = 10;
const FIRST_DELAY_MS = 50;

type Key = Record<string, AttributeValue>;

/** The `RowRemover` port on the table `audit`. The retention role alone may delete there. */
export function createDynamoRowRemover(
  client: DynamoDBDocumentClient,
  table: string,
  clock: Pick<Clock, 'sleep'>,
): RowRemover {
  const deleteBatch = async (keys: readonly Key[]): Promise<void> => {
    let open = keys.map((Key) => ({ DeleteRequest: { Key } }));
    for (let round = 0; open.length > 0; round += 1) {
      if (round === MAX_ROUNDS) throw unavailable('The store leaves part of a deletion unserved. Try again.');
      if (round > 0) await clock.sleep(FIRST_DELAY_MS * 2 ** (round - 1));
      const answer = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: open } }));
      open = (answer.UnprocessedItems?.[table] ?? []).flatMap(({ DeleteRequest: request }) =>
        request?.Key === undefined ? [] : [{ DeleteRequest: { Key: request.Key } }],
      );
    }
  };

  return {
    async remove(lane: LaneRef, seqs) {
      const keys = [...new Set(seqs)].map((seq): Key => {
        const { pk, sk } = rowKey(lane, seq);
        return { pk: { S: pk }, sk: { S: sk } };
      });
      const batches = Array.from({ length: Math.ceil(keys.length / MAX_DELETES) }, (_, index) =>
        keys.slice(index * MAX_DELETES, (index + 1) * MAX_DELETES),
      );
      try {
        await concurrently(batches, WIDTH, deleteBatch);
      } catch (error) {
        throw storeUnavailable(error);
      }
    },
  };
}

import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';

const UNIT_BYTES = 1024;

/**
 * The write units of a transaction: two for each item and KB begun (Developer Guide, "DynamoDB read and write
 * operations"). Reckoned from what is sent, since DynamoDB Local counts only the largest item of each table. Items that
 * are removed or only checked are taken to be under 1 KB. Writes to the index come on top: one or two for each change
 * of a listed entity.
 */
export function transactionUnits({ TransactItems: items = [] }: TransactWriteCommandInput): number {
  return items.reduce((sum, { Put: put }) => {
    const bytes = put?.Item === undefined ? 1 : itemSize(marshall(put.Item));
    return sum + 2 * Math.ceil(bytes / UNIT_BYTES);
  }, 0);
}

/** Bytes of an item as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats"). */
function itemSize(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + valueSize(value),
    0,
  );
}

function valueSize(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.B !== undefined) return value.B.length;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.L !== undefined) return 3 + value.L.reduce((sum, member) => sum + 1 + valueSize(member), 0);
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + itemSize(value.M);
  throw new TypeError('The vault stores no sets.');
}

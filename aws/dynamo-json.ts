import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { RawItem } from './items.ts';

const base64 = z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64')));

/** An attribute in DynamoDB JSON, where binary values are base64: one member, named by its type. */
const attribute: z.ZodType<AttributeValue> = z.lazy(() =>
  z.union([
    z.strictObject({ S: z.string() }),
    z.strictObject({ N: z.string() }),
    z.strictObject({ B: base64 }),
    z.strictObject({ BOOL: z.boolean() }),
    z.strictObject({ NULL: z.literal(true) }),
    z.strictObject({ M: z.record(z.string(), attribute) }),
    z.strictObject({ L: z.array(attribute) }),
    z.strictObject({ SS: z.array(z.string()) }),
    z.strictObject({ NS: z.array(z.string()) }),
    z.strictObject({ BS: z.array(base64) }),
  ]),
);

const line = z.object({ Item: z.record(z.string(), attribute) });

/**
 * The item in a line of an export: `{"Item":{…}}` (DynamoDB Developer Guide, "DynamoDB table export output format").
 *
 * @returns undefined for a line that is none.
 */
export function readExportedItem(text: string): RawItem | undefined {
  try {
    return line.parse(JSON.parse(text)).Item;
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

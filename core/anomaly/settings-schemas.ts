import * as z from 'zod';
import type { Detectors } from './detectors.ts';

/** What to change: by detector and field; `null` takes a field back to its default. */
export type DetectionPatch = {
  readonly [detector: string]: { readonly [field: string]: z.core.util.JSONType | undefined } | undefined;
};

/** What a patch of the settings looks like: each field within the bounds that its detector sets. */
export function patchSchema(detectors: Detectors): z.ZodType<DetectionPatch> {
  return z.strictObject(
    Object.fromEntries(
      [...detectors].map(([name, { thresholds }]) => {
        const fields = Object.entries(shapeOf(thresholds)).map(
          ([field, schema]) => [field, withoutDefault(schema).nullable().optional()] as const,
        );
        const enabled = z.boolean().nullable().optional();
        return [name, z.strictObject({ enabled, ...Object.fromEntries(fields) }).optional()];
      }),
    ),
  ) as unknown as z.ZodType<DetectionPatch>;
}

/** What the settings look like, with every field. */
export function viewSchema(detectors: Detectors): z.ZodType {
  return z.object(
    Object.fromEntries(
      [...detectors].map(([name, { thresholds }]) => [
        name,
        z.object({ enabled: z.boolean(), ...shapeOf(thresholds) }),
      ]),
    ),
  );
}

function shapeOf(thresholds: z.ZodType): { readonly [field: string]: z.ZodType } {
  if (thresholds instanceof z.ZodObject) return thresholds.shape as { readonly [field: string]: z.ZodType };
  throw new TypeError("A detector's thresholds are an object of fields.");
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
}

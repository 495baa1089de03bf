import type * as z from 'zod';
import { VaultError } from '../../../core/kernel/errors.ts';

/**
 * The fields of a form, or of a link's query, as a schema wants them; others are ignored, and a missing one is empty.
 *
 * @throws VaultError `invalid_request` with every fault found.
 */
export function readFields<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  form: { readonly [name: string]: readonly string[] },
): z.infer<z.ZodObject<Shape>> {
  const fields = Object.keys(schema.shape).map((name) => [name, form[name]?.[0] ?? '']);
  const parsed = schema.safeParse(Object.fromEntries(fields));
  if (parsed.success) return parsed.data;
  throw new VaultError('invalid_request', 'Some of this is not right. See "errors" for each fault.', {
    errors: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), reason: message })),
  });
}

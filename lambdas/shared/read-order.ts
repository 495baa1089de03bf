import type * as z from 'zod';

/**
 * What an operator orders who invokes a function by hand; undefined for an event with none of the order's fields, such as
 * the schedule's.
 *
 * @throws Error with `advice` for an order that cannot be meant: the ordinary work instead of it would look like its success.
 */
export function readOrder<S extends z.ZodObject>(
  event: unknown,
  schema: S,
  advice: string,
): z.output<S> | undefined {
  if (typeof event !== 'object' || event === null) return undefined;
  if (!Object.keys(schema.shape).some((field) => field in event)) return undefined;
  const order = schema.safeParse(event);
  if (!order.success) throw new Error(advice);
  return order.data;
}

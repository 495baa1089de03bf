import * as z from 'zod';

const orderSchema = z.strictObject({ day: z.iso.date() });

/**
 * The day that an operator orders, such as `2026-11-22`; undefined for every event without `day`, such as the schedule's.
 *
 * @throws Error for an order that cannot be meant: the ordinary work instead of it would look like its success.
 */
export function orderedDay(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('day' in event)) return undefined;
  const order = orderSchema.safeParse(event);
  if (order.success) return order.data.day;
  throw new Error(
    'Nothing was reconciled. Send {"day": "2026-11-22"}, one day as year-month-day, and nothing else.',
  );
}

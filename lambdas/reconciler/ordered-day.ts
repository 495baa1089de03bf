import * as z from 'zod';
import { readOrder } from '../shared/read-order.ts';

const orderSchema = z.strictObject({ day: z.iso.date() });
const ADVICE =
  'Nothing was reconciled. Send {"day": "2026-11-22"}, one day as year-month-day, and nothing else.';

/** The day that an operator orders, such as `2026-11-22`. */
export function orderedDay(event: unknown): string | undefined {
  return readOrder(event, orderSchema, ADVICE)?.day;
}

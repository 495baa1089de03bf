import * as z from 'zod';
import type { JobState } from '../kernel/job-state.ts';

/** What was found on the last days, as canonical JSON, by day. */
export const reconciliationStateSchema = z.strictObject({
  version: z.int().min(1),
  days: z.record(z.iso.date(), z.string()),
});

export type ReconciliationState = z.infer<typeof reconciliationStateSchema>;

export type ReconciliationStates = JobState<ReconciliationState>;

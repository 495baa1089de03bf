import * as z from 'zod';
import type { JobState } from '../kernel/job-state.ts';

/**
 * What the reviews of a workspace remember. No tenant's data: whoever loses it counts the ninety days from then on.
 * Days are whole days since 1970, UTC.
 */
export const reviewStateSchema = z.strictObject({
  version: z.int().min(0),
  /** Epoch milliseconds; 0 when nobody is at work. */
  leaseUntil: z.int(),
  failures: z.int().min(0),
  /** Of the first review. */
  since: z.int().min(0).optional(),
  /** Of the last review. */
  reviewed: z.int().min(0).optional(),
  /** When each member was last seen, by id. */
  seen: z.record(z.string(), z.int().min(0)),
});

export type ReviewState = z.infer<typeof reviewStateSchema>;

/** The state of one workspace's reviews. */
export type ReviewStates = (workspaceId: string) => JobState<ReviewState>;

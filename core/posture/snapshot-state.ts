import * as z from 'zod';
import type { JobState } from '../kernel/job-state.ts';
import { postureFactsSchema } from './facts.ts';

/** A count that is under way. */
const countSchema = z.strictObject({
  /** Epoch milliseconds. */
  from: z.int(),
  /** The section that is counted, and the place in its list to go on from. */
  section: z.int().min(0),
  after: z.string().optional(),
  facts: postureFactsSchema,
});

export type Count = z.infer<typeof countSchema>;

/** How far the snapshot of a workspace is. */
export const snapshotStateSchema = z.strictObject({
  version: z.int().min(0),
  /** Epoch milliseconds; 0 when nobody is at work. */
  leaseUntil: z.int(),
  failures: z.int().min(0),
  /** The day of the last snapshot; empty before the first. */
  day: z.string(),
  /** What an earlier version of the program counted, and this one cannot read, is counted anew. */
  count: countSchema.optional().catch(undefined),
});

export type SnapshotState = z.infer<typeof snapshotStateSchema>;

/** The state of one workspace's snapshot. */
export type SnapshotStates = (workspaceId: string) => JobState<SnapshotState>;

import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { RHYTHMS } from './period.ts';

/** How often evidence of a workspace is exported, and how far that is. One to a workspace, its id the workspace's. */
const evidenceScheduleSchema = z.strictObject({
  kind: z.literal('evidenceSchedule'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  every: z.enum(RHYTHMS),
  /** A day of the period that is exported next: its first one. */
  nextFrom: z.iso.date(),
  /** Of that period, so many parts are exported, and the leaf of the log that the next one begins with. */
  begun: z.strictObject({ parts: z.int().min(1), nextLeaf: z.int().min(1) }).optional(),
  /** The last period that is exported wholly. */
  exported: z.strictObject({ period: z.string(), at: z.string() }).optional(),
  updatedAt: z.string(),
  updatedBy: z.string(),
});

export type EvidenceSchedule = z.infer<typeof evidenceScheduleSchema>;

/** The schedules of all workspaces, by workspace. */
export const ALL_EVIDENCE_SCHEDULES = 'evidenceSchedules';

export const evidenceScheduleKind: Kind<EvidenceSchedule> = {
  name: 'evidenceSchedule',
  schema: evidenceScheduleSchema,
  listing: ({ id }) => ({ list: ALL_EVIDENCE_SCHEDULES, key: id }),
};

/** Where the evidence of a workspace lies in the archive. */
export function evidencePrefix(workspaceId: string): string {
  return `evidence/${workspaceId}/`;
}

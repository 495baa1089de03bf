import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';

export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Nobody works on it; somebody does; it is lived with until its due date; it is dealt with. */
export const FINDING_STATES = ['open', 'in_progress', 'accepted', 'closed'] as const;
export type FindingState = (typeof FINDING_STATES)[number];

/** Whether a person wrote it down, or a check of the posture failed. */
export const FINDING_SOURCES = ['manual', 'posture'] as const;

/** Of titles, descriptions and reasons, in UTF-16 code units. */
export const MAX_TITLE_LENGTH = 200;
export const MAX_TEXT_LENGTH = 2_000;

/** Something that has to be put right, followed until it is. It is never deleted; its history is the audit trail. */
const findingSchema = z.strictObject({
  kind: z.literal('finding'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  title: z.string(),
  description: z.string(),
  severity: z.enum(SEVERITIES),
  /** The id of the member who takes care of it. */
  owner: z.string().optional(),
  /** The last day, UTC, for dealing with it; of an accepted one, the last day on which it is accepted. */
  dueDate: z.iso.date().optional(),
  state: z.enum(FINDING_STATES),
  source: z.enum(FINDING_SOURCES),
  /** The check that failed. */
  check: z.string().optional(),
  /** What the check saw last. */
  evidence: z.string().optional(),
  /** Why it is accepted or closed. */
  reason: z.string().optional(),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
  closedAt: z.string().optional(),
});

export type Finding = z.infer<typeof findingSchema>;

export const findingKind: Kind<Finding> = {
  name: 'finding',
  schema: findingSchema,
  listing: ({ workspaceId, createdAt, id }) => ({
    list: findingList(workspaceId),
    key: `${createdAt}#${id}`,
  }),
};

/** By the time when they were first opened. */
export function findingList(workspaceId: string): string {
  return `${workspaceId}#findings`;
}

/** The day of an instant in epoch milliseconds, UTC: `YYYY-MM-DD`, which sorts as it passes. */
export function dayOf(now: number): string {
  return timestamp(now).slice(0, 10);
}

/** Whether its last day is over and it is not dealt with. */
export function isOverdue({ state, dueDate }: Pick<Finding, 'state' | 'dueDate'>, now: number): boolean {
  return state !== 'closed' && dueDate !== undefined && dueDate < dayOf(now);
}

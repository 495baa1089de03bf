import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { postureFactsSchema } from './facts.ts';

/** How long a snapshot is kept. */
export const SNAPSHOT_LIFE_MS = 400 * DAY_MS;

/** What one check said. */
const verdictSchema = z.strictObject({
  check: z.string(),
  holds: z.boolean(),
  /** What was seen where it does not hold. */
  evidence: z.string().optional(),
});

export type Verdict = z.infer<typeof verdictSchema>;

/** What a workspace held on a day, and which checks it passed. */
const postureSnapshotSchema = z.strictObject({
  kind: z.literal('postureSnapshot'),
  workspaceId: z.string(),
  /** The day on which it was recorded, UTC, `YYYY-MM-DD`. */
  id: z.iso.date(),
  revision: z.int().min(1),
  /** When counting began, and when it was recorded: of a large workspace that takes more than one run. */
  countedFrom: z.string(),
  recordedAt: z.string(),
  facts: postureFactsSchema,
  checks: z.array(verdictSchema),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type PostureSnapshot = z.infer<typeof postureSnapshotSchema>;

export const postureSnapshotKind: Kind<PostureSnapshot> = {
  name: 'postureSnapshot',
  schema: postureSnapshotSchema,
  listing: ({ workspaceId, id }) => ({ list: snapshotList(workspaceId), key: newestFirst(id) }),
  expiry: ({ expiresAt }) => expiresAt,
};

/** By day, newest first. */
export function snapshotList(workspaceId: string): string {
  return `${workspaceId}#posture`;
}

/** Lists only rise; days are at most 99991231. */
function newestFirst(day: string): string {
  return String(99_999_999 - Number(day.replaceAll('-', ''))).padStart(8, '0');
}

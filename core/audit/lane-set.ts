import { hash } from 'node:crypto';
import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { type AuditEvent, PRINCIPAL_LANE, STRANGER_LANE } from './event.ts';
import type { Ledger } from './ledger.ts';

/** The lanes that a busy workspace opened beside its first two, all in one commit. */
const laneSetSchema = z.strictObject({
  kind: z.literal('laneSet'),
  workspaceId: z.string(),
  /** The workspace's own id: there is one. */
  id: z.string(),
  revision: z.int().min(1),
  /** How many: they are numbered from {@link FIRST_EXTRA_LANE}. */
  count: z.int().min(1).max(64),
});

export type LaneSet = z.infer<typeof laneSetSchema>;

export const laneSetKind: Kind<LaneSet> = { name: 'laneSet', schema: laneSetSchema };

export const FIRST_EXTRA_LANE = 2;

/** An extra lane, and the row of lane 0 that opened it. */
export interface ExtraLane {
  readonly lane: number;
  readonly openedBy: number;
}

/**
 * The extra lanes of a set whose commit ends with row `lastSeq` of lane 0: each has a `lane.opened` row of its own, in
 * the order of the lanes, and the last of them carries the set.
 */
export function extraLanes(count: number, lastSeq: number): ExtraLane[] {
  return Array.from({ length: count }, (_, index) => ({
    lane: FIRST_EXTRA_LANE + index,
    openedBy: lastSeq - count + 1 + index,
  }));
}

/**
 * The extra lane for what concerns an entity without changing it: always the same one, so that these rows keep their
 * order.
 */
export function extraLaneFor({ type, id }: AuditEvent['entity'], count: number): number {
  const digest = hash('sha256', `${type}/${id}`, 'buffer');
  return FIRST_EXTRA_LANE + (digest.readUInt32BE() % count);
}

/** Every lane of a workspace, in rising order. */
export async function lanesOf(ledger: Ledger, workspaceId: string): Promise<number[]> {
  const extra = await ledger.extraLanes(workspaceId);
  return [PRINCIPAL_LANE, STRANGER_LANE, ...extra.map(({ lane }) => lane)];
}

import * as z from 'zod';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import { findOpening } from '../audit/lane-start.ts';
import type { LaneRef, Ledger } from '../audit/ledger.ts';
import { type Anchor, GENESIS } from '../audit/verify-lane.ts';
import type { Kind } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The last row of a lane that may be gone. Whoever checks the lane starts behind it, as behind any other row. */
const laneFloorSchema = z.strictObject({
  /** 0 when all rows of the lane are there, and only the row of lane 0 that opened it may be gone. */
  throughSeq: z.int().min(0),
  /** That row's hash; of a `throughSeq` 0, the opening row's. */
  hash,
  /** That row's time; empty of a `throughSeq` 0. */
  ts: z.string().max(24),
});

/**
 * Where a workspace's rows begin: those at or below the floor are archived, and may be gone from the table. Raised by
 * the retention job alone, with an event, before it deletes anything.
 */
const retentionFloorSchema = z.strictObject({
  kind: z.literal('retentionFloor'),
  workspaceId: z.string(),
  /** The workspace's own id: there is one. */
  id: z.string(),
  revision: z.int().min(1),
  lanes: z.record(z.string().regex(/^\d{1,5}$/), laneFloorSchema),
  /** The last day of the archive that was looked at, `YYYY-MM-DD`, and the SHA-256 of its manifest. */
  day: z.iso.date(),
  manifest: hash,
});

export type LaneFloor = z.infer<typeof laneFloorSchema>;
export type RetentionFloor = z.infer<typeof retentionFloorSchema>;

export const retentionFloorKind: Kind<RetentionFloor> = {
  name: 'retentionFloor',
  schema: retentionFloorSchema,
};

/** The floor of a workspace, read consistently; `undefined` while all its rows are there. */
export function readFloor(
  store: Pick<Store, 'get'>,
  workspaceId: string,
): Promise<RetentionFloor | undefined> {
  return store.get(retentionFloorKind, workspaceId, workspaceId);
}

/** Where checking a lane starts: at its floor, else at its beginning. The hash is empty for a lane never opened. */
export async function laneAnchor(
  ledger: Ledger,
  lane: LaneRef,
  floor: RetentionFloor | undefined,
): Promise<Anchor> {
  const known = floor?.lanes[lane.lane];
  if (known !== undefined) return { seq: known.throughSeq, hash: known.hash, ts: known.ts };
  if (lane.lane === PRINCIPAL_LANE) return GENESIS;
  return { ...GENESIS, hash: (await findOpening(ledger, lane)) ?? '' };
}

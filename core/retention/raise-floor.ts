import type { SignedManifest } from '../archive/read-manifests.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create, update } from '../kernel/entity.ts';
import type { RaisedFloors } from './compare-day.ts';
import { type LaneFloor, type RetentionFloor, retentionFloorKind } from './floor.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly trail: AuditTrail;
}

/** Whose doing the events are. */
export const RETENTION_JOB = 'retention';

/**
 * Raises the floor of a workspace, with an event for each lane: from then on the rows below it may be gone.
 *
 * @param raised at least one lane.
 * @throws VaultError `concurrent_change` when another run raised it meanwhile; `unavailable`: it may be raised or not.
 */
export async function raiseFloor(
  parts: Parts,
  floor: RetentionFloor | undefined,
  { manifest, sha256 }: SignedManifest,
  raised: RaisedFloors,
): Promise<RetentionFloor> {
  const workspaceId = manifest.ws;
  for (const [lane, { throughSeq, hash }] of raised) {
    if (throughSeq === 0) await beginLane(parts, workspaceId, lane, hash);
  }
  const lanes = Object.fromEntries([...raised].map(([lane, laneFloor]) => [String(lane), laneFloor]));
  const content = { lanes: { ...floor?.lanes, ...lanes }, day: manifest.day, manifest: sha256 };
  const change =
    floor === undefined
      ? create(retentionFloorKind, { workspaceId, id: workspaceId, ...content })
      : update(retentionFloorKind, floor, content);
  const events = [...raised].map(([lane, laneFloor]) => floorRaised(workspaceId, lane, laneFloor));
  await parts.trail.commit(
    systemOrigin(workspaceId, RETENTION_JOB),
    events.map((event, index) => (index === events.length - 1 ? { ...event, changes: [change] } : event)),
  );
  return change.entity;
}

/**
 * The row that opened a lane is about to go. A writer of an empty lane would search for it, so the lane gets its first
 * row now; after that nobody needs the other any more but the floor, which keeps its hash.
 */
async function beginLane(
  { ledger, trail }: Parts,
  workspaceId: string,
  lane: number,
  hash: string,
): Promise<void> {
  if ((await ledger.lastRow({ workspaceId, lane })) !== undefined) return;
  const origin = { ...systemOrigin(workspaceId, RETENTION_JOB), lane };
  await trail.commit(origin, [floorRaised(workspaceId, lane, { throughSeq: 0, hash })]);
}

function floorRaised(
  workspaceId: string,
  lane: number,
  { throughSeq, hash }: Pick<LaneFloor, 'throughSeq' | 'hash'>,
): AuditEvent {
  return {
    action: 'audit.floor_raised',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
    detail: { lane: String(lane), throughSeq: String(throughSeq), hash },
  };
}

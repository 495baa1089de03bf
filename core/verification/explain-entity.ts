import { readRow } from '../audit/build-rows.ts';
import type { EntityInspector, InspectedEntity } from '../audit/entity-inspector.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { AuditRow } from '../audit/row.ts';
import type { Break } from '../audit/verify-lane.ts';
import { entityDigest } from '../kernel/entity.ts';
import { type RetentionFloor, retentionFloorKind } from '../retention/floor.ts';

/** What the row that an entity names says of it. */
export type Explanation = 'explained' | 'unexplained' | 'row_gone';

interface Parts {
  readonly ledger: Ledger;
  readonly inspector: EntityInspector;
}

/**
 * Looks whether the row that an entity names tells of just this entity as it lies there. Both were written in one
 * transaction, so that this holds at every moment, however busy the vault is.
 */
export async function explainEntity(
  ledger: Ledger,
  workspaceId: string,
  found: InspectedEntity,
): Promise<Explanation> {
  const { lane, seq } = found.row;
  const stored = await ledger.row({ workspaceId, lane }, seq);
  if (stored === undefined) return 'row_gone';
  const content = readRow(stored);
  return content !== undefined && tellsOf(content, found) ? 'explained' : 'unexplained';
}

/** Whether a row tells of an entity as it lies there. */
export function tellsOf({ changes }: AuditRow, { entity, exact }: InspectedEntity): boolean {
  if (entity === undefined || !exact) return false;
  const digest = entityDigest(entity);
  return changes.some(
    (change) =>
      change.kind === entity.kind &&
      change.id === entity.id &&
      change.revision === entity.revision &&
      change.digest === digest,
  );
}

/**
 * The retention floor of a workspace, if the row that raised it is there and says so: whoever could move it by hand
 * would have rows that they removed taken for given up.
 */
export async function explainedFloor(
  { ledger, inspector }: Parts,
  workspaceId: string,
): Promise<RetentionFloor | undefined> {
  const name = { kind: retentionFloorKind.name, id: workspaceId };
  const [found] = await inspector.inspect(workspaceId, [name]);
  if (found === undefined || (await explainEntity(ledger, workspaceId, found)) !== 'explained')
    return undefined;
  return found.entity as RetentionFloor;
}

/** The last row of a lane that may be gone; 0 while all are there. */
export function floorOf(floor: RetentionFloor | undefined, lane: number): number {
  return floor?.lanes[lane]?.throughSeq ?? 0;
}

/**
 * The breaks that count: rows at or below the floor may be gone. The floor is read after the rows, because it is raised
 * before any row goes.
 */
export async function aboveFloor(
  parts: Parts,
  workspaceId: string,
  breaks: readonly Break[],
): Promise<readonly Break[]> {
  if (breaks.length === 0) return breaks;
  const floor = await explainedFloor(parts, workspaceId);
  return breaks.filter(({ lane, seq }) => seq > floorOf(floor, lane));
}

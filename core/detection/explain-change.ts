import { readRow } from '../audit/build-rows.ts';
import { laneRange } from '../audit/date-range.ts';
import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import { type Entity, entityDigest, type Kind, REMOVED_DIGEST } from '../kernel/entity.ts';
import type { EntityWritten } from './table-change.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly kinds: ReadonlyMap<string, Kind<Entity>>;
}

/**
 * How far a row's time may lie from the moment when the table changed: requests take seconds, clocks differ by less
 * than this. An old row that explains an old state does not explain that the state came back.
 */
const MAX_SKEW_MS = 15 * 60 * 1000;

/** How long before the change its row is nearly always found: an append is given up after eight seconds. */
const USUAL_SKEW_MS = 30 * 1000;

/** Rows asked for at once. */
const PAGE = 500;

/** Whether an audit row explains a change of an entity, or the entity's own time to live does. */
export async function isExplained(parts: Parts, change: EntityWritten): Promise<boolean> {
  const { before, after } = change;
  if (after !== undefined) return isExplainedPut(parts.ledger, before, after, change.at);
  if (before?.entity === undefined) return false;
  if (change.expired) return mayExpire(parts.kinds, before.entity, change.at);
  return (
    (await hasRemovalSince(parts.ledger, before.entity, change.at - USUAL_SKEW_MS)) ||
    (await hasRemovalSince(parts.ledger, before.entity, change.at - MAX_SKEW_MS))
  );
}

async function isExplainedPut(
  ledger: Ledger,
  before: InspectedEntity | undefined,
  { entity, exact, row }: InspectedEntity,
  at: number,
): Promise<boolean> {
  if (entity === undefined || !exact) return false;
  // A state that is put back has a row of its own, but does not follow the one that it replaces.
  if (entity.revision !== (before?.entity?.revision ?? 0) + 1) return false;
  const stored = await ledger.row({ workspaceId: entity.workspaceId, lane: row.lane }, row.seq);
  const content = stored === undefined ? undefined : readRow(stored);
  if (content === undefined || Math.abs(at - Date.parse(content.ts)) > MAX_SKEW_MS) return false;
  const digest = entityDigest(entity);
  return content.changes.some(
    ({ kind, id, revision, digest: recorded }) =>
      kind === entity.kind && id === entity.id && revision === entity.revision && recorded === digest,
  );
}

function mayExpire(kinds: Parts['kinds'], entity: Entity, at: number): boolean {
  const expiry = kinds.get(entity.kind)?.expiry?.(entity);
  // The table counts whole seconds, and so does its stream.
  return expiry !== undefined && expiry <= at + 1000;
}

/** A removed entity names its row no longer; the row lies near the end of lane 0, where entities are removed. */
async function hasRemovalSince(ledger: Ledger, entity: Entity, from: number): Promise<boolean> {
  const lane = { workspaceId: entity.workspaceId, lane: PRINCIPAL_LANE };
  let { first } = await laneRange(ledger, lane, { from });
  for (;;) {
    const rows = await ledger.rows(lane, first, PAGE);
    const removes = rows.some((row) =>
      readRow(row)?.changes.some(
        ({ kind, id, revision, digest }) =>
          kind === entity.kind &&
          id === entity.id &&
          revision === entity.revision + 1 &&
          digest === REMOVED_DIGEST,
      ),
    );
    const last = rows.at(-1)?.seq ?? 0;
    if (removes) return true;
    if (last < first) return false;
    first = last + 1;
  }
}

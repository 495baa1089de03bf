import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { PRINCIPAL_LANE, STRANGER_LANE } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import { type Entity, entityDigest, type Kind, REMOVED_DIGEST } from '../kernel/entity.ts';
import { type RetentionFloor, retentionFloorKind } from '../retention/floor.ts';
import { explainEntity, floorOf } from '../verification/explain-entity.ts';
import type { BelievedRows } from './believed-rows.ts';
import { type ClosingParts, closingOf } from './close-access.ts';
import { closedAsTold, dataAsTold, keyAsBelieved } from './data-as-told.ts';
import { type Decision, type Discord, declareLost, type Patch, putAgain, removeAgain } from './decision.ts';
import { classOf } from './entity-classes.ts';
import type { NewestChange, ToldChange } from './newest-changes.ts';
import { isProvenFloor, type ProofParts } from './prove-floor.ts';
import { recreated } from './recreate.ts';
import type { LaneEnds } from './restore-tables.ts';

export interface DecisionParts extends ClosingParts, ProofParts {
  readonly ledger: Ledger;
  readonly kinds: ReadonlyMap<string, Kind<Entity>>;
}

/** What is known of a workspace's rows. */
export interface KnownRows extends Pick<BelievedRows, 'isBelieved' | 'floor'> {
  readonly workspaceId: string;
  readonly ends: LaneEnds;
  readonly extraLanes: number;
  /** Whether believed rows, or the log, tell of an entity as it lies there. */
  readonly isExplained: (found: InspectedEntity) => Promise<boolean>;
}

/**
 * Decides about an entity that rows name: what lies in the table against the newest of these rows. All rows that change
 * an entity stand in one lane, and the entity names the one that it stands by, so their numbers tell which is newer.
 *
 * @returns undefined where it stands as the row says, and where nothing is to be done: the verifier then tells.
 */
export async function decideNamed(
  parts: DecisionParts,
  rows: KnownRows,
  newest: NewestChange,
  found: InspectedEntity | undefined,
): Promise<Decision | undefined> {
  const kind = parts.kinds.get(newest.kind);
  if (kind === undefined) return undefined;
  if (found === undefined) return absent(parts, rows, kind, newest);
  if (newest.isBelieved && isAsRecorded(newest, found)) return undefined;
  const discord = await discordOf(parts.ledger, rows, newest, found);
  return decideStored(parts, rows, kind, found, discord, newest);
}

/** Decides about an entity that no row names. */
export async function decideStray(
  parts: DecisionParts,
  rows: KnownRows,
  found: InspectedEntity,
): Promise<Decision | undefined> {
  const kind = parts.kinds.get(found.kind);
  const discord = isBeyond(rows.ends, found) ? 'ahead' : 'unexplained';
  return kind && decideStored(parts, rows, kind, found, discord, undefined);
}

async function discordOf(
  ledger: Ledger,
  rows: KnownRows,
  newest: NewestChange,
  found: InspectedEntity,
): Promise<Discord> {
  const { lane, seq } = found.row;
  if (isBeyond(rows.ends, found)) return 'ahead';
  if (lane !== newest.lane || seq > newest.seq) return 'unexplained';
  if (await rows.isExplained(found)) return 'behind';
  const isTold = (await explainEntity(ledger, rows.workspaceId, found)) === 'explained';
  return isTold && seq > floorOf(rows.floor, lane) ? 'unsealed' : 'unexplained';
}

/** Whether an entity names a row that is not among those that were brought back. */
function isBeyond(ends: LaneEnds, { row }: InspectedEntity): boolean {
  return row.seq > (ends[row.lane] ?? 0);
}

function isAsRecorded({ revision, digest, lane, seq }: NewestChange, found: InspectedEntity): boolean {
  const { entity, exact, row } = found;
  return (
    exact &&
    entity?.revision === revision &&
    row.lane === lane &&
    row.seq === seq &&
    entityDigest(entity) === digest
  );
}

function absent(
  parts: DecisionParts,
  rows: KnownRows,
  kind: Kind<Entity>,
  newest: NewestChange,
): Decision | undefined {
  if (newest.digest !== REMOVED_DIGEST) return gone(parts, rows, kind, newest);
  // Whoever wants a lock away adds a row that removes it.
  const isInDoubt = newest.isThere && !newest.isBelieved;
  const decision = isInDoubt ? gone(parts, rows, kind, newest) : undefined;
  return decision?.outcome === 'recreated' ? decision : undefined;
}

function gone(
  { now }: DecisionParts,
  { workspaceId, extraLanes }: KnownRows,
  kind: Kind<Entity>,
  newest: NewestChange,
): Decision | undefined {
  const { id, lane, revision: recorded } = newest;
  const about = { workspaceId, lane, discord: 'gone', recorded } as const;
  const again = recreated({ now, extraLanes }, workspaceId, newest);
  if (again !== undefined) return { ...about, outcome: 'recreated', changes: [again] };
  // It may as well have gone by itself: the verifier asks no more of it either.
  if (kind.expiry !== undefined) return undefined;
  return { ...about, outcome: 'lost', changes: [declareLost(kind, { workspaceId, id }, recorded)] };
}

async function decideStored(
  parts: DecisionParts,
  { workspaceId }: KnownRows,
  kind: Kind<Entity>,
  found: InspectedEntity,
  discord: Discord,
  newest: NewestChange | undefined,
): Promise<Decision | undefined> {
  const { entity, exact, row } = found;
  // What the vault did not write is evidence: it is left to whoever looks into it.
  if (entity === undefined || !exact || entity.workspaceId !== workspaceId) return undefined;
  // A floor says which rows may be missing, and so is not believed without proof.
  const isFloor = kind.name === retentionFloorKind.name && discord !== 'behind';
  if (isFloor && !(await isProvenFloor(parts, entity as RetentionFloor))) return undefined;
  const recorded = newest?.revision ?? 0;
  const told = { stored: entity.revision, ...(newest === undefined ? {} : { recorded }) };
  // A lane that somebody made up has no rows, and must not get any.
  const lane = newest?.lane ?? (row.lane === STRANGER_LANE ? STRANGER_LANE : PRINCIPAL_LANE);
  const about = { workspaceId, lane, discord, ...told };
  const put = (outcome: 'kept' | 'as_recorded' | 'closed', patch = {}): Decision => ({
    ...about,
    outcome,
    changes: [putAgain(kind, entity, recorded, patch)],
  });
  const remove = (): Decision => ({
    ...about,
    outcome: 'removed',
    changes: [removeAgain(kind, entity, recorded)],
  });

  const isStanding = discord === 'behind' || discord === 'unsealed';
  if (isStanding && newest?.digest === REMOVED_DIGEST) return remove();
  const since = isStanding ? historyAfter(newest, row.seq) : undefined;
  switch (classOf(kind.name)) {
    case 'opens': {
      const isCertain = discord === 'behind' && since?.every(({ isBelieved }) => isBelieved);
      const closing = closingOf(parts, entity, isCertain ? since : undefined);
      return closing.outcome === 'removed' ? remove() : put(closing.outcome, closing.patch);
    }
    case 'passing':
      return discord === 'unexplained' || discord === 'unsealed' ? undefined : remove();
    case 'closes':
    case 'data': {
      const history = newest?.history ?? [];
      if (discord === 'unexplained') {
        const believed = history.filter(({ isBelieved }) => isBelieved);
        const closed = { ...closedAsTold(entity, believed), ...keyAsBelieved(entity, believed) };
        return isSame(entity, closed) ? undefined : put('closed', closed);
      }
      const key = discord === 'behind' ? {} : keyAsBelieved(entity, history);
      const patch = { ...keptAsTold(entity, history, since), ...key };
      const isLeft = discord === 'unsealed' && newest?.seq === row.seq && isSame(entity, patch);
      return isLeft ? undefined : put('kept', patch);
    }
  }
}

/** What rows say of data, and whatever rows that are believed have closed. */
function keptAsTold(
  entity: Entity,
  history: readonly ToldChange[],
  since: readonly ToldChange[] | undefined,
): Patch {
  const told = since ? dataAsTold(entity, since) : closedAsTold(entity, history);
  const believed = history.filter(({ isBelieved }) => isBelieved);
  return believed.length === history.length
    ? told
    : { ...told, ...closedAsTold({ ...entity, ...told }, believed) };
}

function isSame(entity: Entity, patch: Patch): boolean {
  const patched = Object.entries({ ...entity, ...patch }).filter(([, value]) => value !== undefined);
  return entityDigest(Object.fromEntries(patched) as unknown as Entity) === entityDigest(entity);
}

function historyAfter(newest: NewestChange | undefined, seq: number): readonly ToldChange[] {
  return newest?.history.filter((change) => change.seq > seq) ?? [];
}

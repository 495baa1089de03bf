import { type Entity, entityDigest, type Kind, REMOVED_DIGEST } from '../kernel/entity.ts';
import type { RetentionFloor } from '../retention/floor.ts';
import { explainedFloor } from '../verification/explain-entity.ts';
import type { EntityInspector, EntityName, InspectedEntity } from './entity-inspector.ts';
import { PRINCIPAL_LANE } from './event.ts';
import { lanesOf } from './lane-set.ts';
import type { Ledger, StoredRow } from './ledger.ts';
import { type AuditRow, rowHash } from './row.ts';
import {
  type Anchor,
  type Break,
  type BreakReason,
  GENESIS,
  type LaneCheck,
  verifyLane,
} from './verify-lane.ts';

export interface VerifyParts {
  readonly ledger: Ledger;
  readonly inspector: EntityInspector;
  readonly kinds: ReadonlyMap<string, Kind<Entity>>;
}

export interface Verification {
  readonly ok: boolean;
  /** Rows checked, in all lanes. */
  readonly rows: number;
  /** Entities compared with the row that last changed them. */
  readonly entities: number;
  /** The last row of lane 0. */
  readonly head: { readonly lane: number; readonly seq: number; readonly hash: string };
  /** Rows first, then entities. */
  readonly breaks: readonly Break[];
}

/** What a scan of the table keeps of an entity. */
export type ScannedEntity = Pick<InspectedEntity, 'kind' | 'id' | 'row' | 'exact'>;

/** How an entity must stand after the rows read so far. */
interface Expected extends EntityName {
  readonly revision: number;
  readonly digest: string;
  readonly lane: number;
  readonly seq: number;
}

/** Entities are looked up in groups of this many. */
const GROUP = 100;

/**
 * Checks all rows of a workspace, and every entity that they speak of against the last row that changed it: edited,
 * removed, brought back, or put back to an earlier state behind the vault's back, it no longer fits.
 *
 * The vault may be at work meanwhile. As an entity changes together with its row, an entity that looks wrong is right
 * if a row that came since the first reading explains what was seen; so the lanes are read on before it is called a break.
 *
 * Where retention has given up rows, it begins behind them.
 *
 * @param scanned what was found in the table before this began. An entity that no row speaks of, or that lies elsewhere
 * than the vault would have put it, was slipped in.
 */
export async function verifyWorkspace(
  parts: VerifyParts,
  workspaceId: string,
  scanned: readonly ScannedEntity[] = [],
): Promise<Verification> {
  const floor = await explainedFloor(parts, workspaceId);
  const chain = new ChainWalk(parts.ledger, workspaceId, floor);
  await chain.walkOn();
  const expected = [...chain.expected.values()];
  const suspects = await findSuspects(parts, workspaceId, expected);
  const since = suspects.length === 0 ? [] : await chain.walkOn();
  const explained = Map.groupBy(since, nameOf);
  const entityBreaks = suspects
    .filter(({ found, name }) => !explained.get(name)?.some((change) => isAsRecorded(change, found)))
    .map((suspect) => suspect.break);
  const told = new Set(entityBreaks.map(({ entity }) => entity && nameOf(entity)));
  const strangers = scanned
    .filter((entity) => !(entity.exact && chain.expected.has(nameOf(entity))) && !told.has(nameOf(entity)))
    .map(({ kind, id, row }): Break => ({ ...row, reason: 'entity_unexplained', entity: { kind, id } }));
  const breaks = [...chain.breaks(), ...entityBreaks, ...strangers];
  const { seq, hash } = chain.head(PRINCIPAL_LANE);
  return {
    ok: breaks.length === 0,
    rows: chain.rows,
    entities: expected.length,
    head: { lane: PRINCIPAL_LANE, seq, hash },
    breaks,
  };
}

/** Reads a workspace's lanes to their end, as often as asked, and keeps what must be true of its entities. */
class ChainWalk {
  readonly expected = new Map<string, Expected>();
  rows = 0;
  readonly #ledger: Ledger;
  readonly #workspaceId: string;
  readonly #floor: RetentionFloor | undefined;
  readonly #checks = new Map<number, LaneCheck>();
  /** By lane: the hash of the row in lane 0 that opened it. */
  readonly #openings = new Map<number, string>();

  constructor(ledger: Ledger, workspaceId: string, floor: RetentionFloor | undefined) {
    this.#ledger = ledger;
    this.#workspaceId = workspaceId;
    this.#floor = floor;
  }

  /** @returns the changes that the rows read by this call speak of. */
  async walkOn(): Promise<Expected[]> {
    // The other lanes only up to where they end now: whatever opened them then stands in lane 0, which is read next.
    const lanes = await lanesOf(this.#ledger, this.#workspaceId);
    const others = lanes.filter((lane) => lane !== PRINCIPAL_LANE);
    const ends = await Promise.all(
      others.map((lane) => this.#ledger.lastRow({ workspaceId: this.#workspaceId, lane })),
    );
    const changes: Expected[] = [];
    await this.#walkLane(PRINCIPAL_LANE, Number.MAX_SAFE_INTEGER, changes);
    for (const [index, lane] of others.entries()) await this.#walkLane(lane, ends[index]?.seq ?? 0, changes);
    // Lane 0 may tell of more: opened just now, or no longer named by a set that somebody changed.
    for (const lane of this.#openings.keys()) {
      if (!lanes.includes(lane)) await this.#walkLane(lane, Number.MAX_SAFE_INTEGER, changes);
    }
    for (const change of changes) this.expected.set(nameOf(change), change);
    return changes;
  }

  head(lane: number): Anchor {
    return this.#checks.get(lane)?.head ?? GENESIS;
  }

  breaks(): Break[] {
    const lanes = [...this.#checks.keys()].sort((a, b) => a - b);
    return lanes.flatMap((lane) => this.#checks.get(lane)?.breaks ?? []);
  }

  async #walkLane(lane: number, last: number, changes: Expected[]): Promise<void> {
    const earlier = this.#checks.get(lane);
    const floor = this.#floor?.lanes[lane];
    const opening = floor?.hash ?? (lane === PRINCIPAL_LANE ? GENESIS.hash : this.#openings.get(lane));
    const start = { seq: floor?.throughSeq ?? 0, hash: opening ?? '', ts: floor?.ts ?? '' };
    const anchor = earlier !== undefined && earlier.head.seq > 0 ? earlier.head : start;
    const ref = { workspaceId: this.#workspaceId, lane };
    const check = await verifyLane(this.#ledger, ref, anchor, last, (row, stored) => {
      if (lane === PRINCIPAL_LANE) this.#noteOpening(row, stored);
      changes.push(...row.changes.map((change) => ({ ...change, lane, seq: stored.seq })));
    });
    this.rows += check.rows;
    const unopened = opening === undefined && check.rows > 0;
    const breaks: readonly Break[] = unopened ? [{ lane, seq: 1, reason: 'lane_not_opened' }] : check.breaks;
    this.#checks.set(lane, { ...check, breaks: [...(earlier?.breaks ?? []), ...breaks] });
  }

  #noteOpening(row: AuditRow, stored: StoredRow): void {
    if (row.action !== 'lane.opened') return;
    const opened = Number(row.detail['lane']);
    if (!this.#openings.has(opened)) this.#openings.set(opened, rowHash(stored.bytes));
  }
}

interface Suspect {
  readonly name: string;
  readonly found: InspectedEntity | undefined;
  readonly break: Break;
}

async function findSuspects(
  { inspector, kinds }: VerifyParts,
  workspaceId: string,
  expected: readonly Expected[],
): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  for (let start = 0; start < expected.length; start += GROUP) {
    const group = expected.slice(start, start + GROUP);
    const inspected = await inspector.inspect(workspaceId, group);
    for (const [index, entry] of group.entries()) {
      const found = inspected[index];
      const { lane, seq, kind, id } = entry;
      const mayExpire = kinds.get(kind)?.expiry !== undefined;
      if (isAsRecorded(entry, found) || (found === undefined && mayExpire)) continue;
      suspects.push({
        name: nameOf(entry),
        found,
        break: { lane, seq, reason: faultOf(entry, found), entity: { kind, id } },
      });
    }
  }
  return suspects;
}

function faultOf({ digest }: Expected, found: InspectedEntity | undefined): BreakReason {
  if (found === undefined) return 'entity_missing';
  return digest === REMOVED_DIGEST ? 'entity_unexplained' : 'entity_altered';
}

/** Whether what lies in the table is just what a row says of it. */
function isAsRecorded(recorded: Expected, found: InspectedEntity | undefined): boolean {
  if (found === undefined) return recorded.digest === REMOVED_DIGEST;
  const { entity, row, exact } = found;
  return (
    exact &&
    entity !== undefined &&
    entity.revision === recorded.revision &&
    row.lane === recorded.lane &&
    row.seq === recorded.seq &&
    entityDigest(entity) === recorded.digest
  );
}

function nameOf({ kind, id }: EntityName): string {
  return `${kind}/${id}`;
}

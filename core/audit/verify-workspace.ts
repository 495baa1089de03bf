import { type Entity, entityDigest, type Kind, REMOVED_DIGEST } from '../kernel/entity.ts';
import type { EntityInspector, EntityName, InspectedEntity } from './entity-inspector.ts';
import { PRINCIPAL_LANE } from './event.ts';
import type { Ledger, StoredRow } from './ledger.ts';
import { LANES } from './merged-rows.ts';
import type { AuditRow } from './row.ts';
import { type Anchor, type Break, GENESIS, type LaneCheck, verifyLane } from './verify-lane.ts';

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

/** How an entity must stand after the rows read so far. */
interface Expected extends EntityName {
  readonly revision: number;
  readonly digest: string;
  readonly lane: number;
  readonly seq: number;
}

/** Entities are looked up in groups of this many. */
const GROUP = 100;
/** Entities may change while they are checked; how often to read on and look again before calling it a break. */
const MAX_ROUNDS = 5;

/**
 * Checks all rows of a workspace, and every entity that they speak of against the last row that changed it: edited,
 * removed, brought back, or put back to an earlier state behind the vault's back, it no longer fits.
 */
export async function verifyWorkspace(parts: VerifyParts, workspaceId: string): Promise<Verification> {
  const chain = new ChainWalk(parts.ledger, workspaceId);
  await chain.walkOn();
  let suspects = [...chain.expected.values()];
  const entities = suspects.length;
  let breaks: Break[] = [];
  for (let round = 1; suspects.length > 0; round += 1) {
    breaks = await entityBreaks(parts, workspaceId, suspects);
    if (breaks.length === 0 || round === MAX_ROUNDS) break;
    // A change that came after its lane was read looks like a forgery: read on, and look at these once more.
    const walked = await chain.walkOn();
    if (walked === 0) break;
    suspects = breaks.flatMap(({ entity }) => (entity ? (chain.expected.get(nameOf(entity)) ?? []) : []));
  }
  const all = [...chain.breaks(), ...breaks];
  const { seq, hash } = chain.head(PRINCIPAL_LANE);
  return {
    ok: all.length === 0,
    rows: chain.rows,
    entities,
    head: { lane: PRINCIPAL_LANE, seq, hash },
    breaks: all,
  };
}

/** Reads a workspace's lanes to their end, as often as asked, and keeps what must be true of its entities. */
class ChainWalk {
  readonly expected = new Map<string, Expected>();
  rows = 0;
  readonly #ledger: Ledger;
  readonly #workspaceId: string;
  readonly #checks = new Map<number, LaneCheck>();
  /** By lane: the hash of the row in lane 0 that opened it. */
  readonly #openings = new Map<number, string>();

  constructor(ledger: Ledger, workspaceId: string) {
    this.#ledger = ledger;
    this.#workspaceId = workspaceId;
  }

  /** @returns how many rows were new. */
  async walkOn(): Promise<number> {
    const before = this.rows;
    for (const lane of LANES) await this.#walkLane(lane);
    return this.rows - before;
  }

  head(lane: number): Anchor {
    return this.#checks.get(lane)?.head ?? GENESIS;
  }

  breaks(): Break[] {
    return LANES.flatMap((lane) => this.#checks.get(lane)?.breaks ?? []);
  }

  async #walkLane(lane: number): Promise<void> {
    const earlier = this.#checks.get(lane);
    const opening = this.#openings.get(lane);
    const start = lane === PRINCIPAL_LANE ? GENESIS : { ...GENESIS, hash: opening ?? '' };
    const ref = { workspaceId: this.#workspaceId, lane };
    const check = await verifyLane(this.#ledger, ref, earlier?.head ?? start, undefined, (row, stored) =>
      this.#note(row, stored),
    );
    this.rows += check.rows;
    const unopened =
      lane !== PRINCIPAL_LANE && opening === undefined && check.rows > 0 && earlier === undefined;
    const breaks: Break[] = unopened ? [{ lane, seq: 1, reason: 'lane_not_opened' }] : [...check.breaks];
    this.#checks.set(lane, { ...check, breaks: [...(earlier?.breaks ?? []), ...breaks] });
  }

  #note(row: AuditRow, stored: StoredRow): void {
    if (row.action === 'lane.opened' && stored.lane === PRINCIPAL_LANE) {
      const opened = Number(row.detail['lane']);
      if (!this.#openings.has(opened)) this.#openings.set(opened, stored.hash);
    }
    for (const change of row.changes) {
      this.expected.set(nameOf(change), { ...change, lane: stored.lane, seq: stored.seq });
    }
  }
}

async function entityBreaks(
  { inspector, kinds }: VerifyParts,
  workspaceId: string,
  expected: readonly Expected[],
): Promise<Break[]> {
  const breaks: Break[] = [];
  for (let start = 0; start < expected.length; start += GROUP) {
    const group = expected.slice(start, start + GROUP);
    const found = await inspector.inspect(workspaceId, group);
    for (const [index, entry] of group.entries()) {
      const reason = entityFault(entry, found[index], kinds.get(entry.kind)?.expiry !== undefined);
      if (reason === undefined) continue;
      breaks.push({ lane: entry.lane, seq: entry.seq, reason, entity: { kind: entry.kind, id: entry.id } });
    }
  }
  return breaks;
}

function entityFault(
  expected: Expected,
  found: InspectedEntity | undefined,
  mayExpire: boolean,
): Break['reason'] | undefined {
  if (expected.digest === REMOVED_DIGEST) return found === undefined ? undefined : 'entity_unexplained';
  if (found === undefined) return mayExpire ? undefined : 'entity_missing';
  const { entity, row, exact } = found;
  const asRecorded =
    exact &&
    entity !== undefined &&
    entity.revision === expected.revision &&
    row.lane === expected.lane &&
    row.seq === expected.seq &&
    entityDigest(entity) === expected.digest;
  return asRecorded ? undefined : 'entity_altered';
}

function nameOf({ kind, id }: EntityName): string {
  return `${kind}/${id}`;
}

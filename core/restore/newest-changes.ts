import { readRow } from '../audit/build-rows.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import { FIRST_EXTRA_LANE } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { AuditRow } from '../audit/row.ts';
import { REMOVED_DIGEST } from '../kernel/entity.ts';
import { floorOf } from '../verification/explain-entity.ts';
import { presentLanes } from '../verification/present-lanes.ts';
import type { BelievedRows } from './believed-rows.ts';
import type { Reconciled } from './commit-decisions.ts';
import { decisionOf } from './commit-decisions.ts';
import type { LaneEnds } from './restore-tables.ts';

/** What a row says that it did to an entity. */
export interface ToldChange {
  readonly action: string;
  readonly seq: number;
  readonly ts: string;
  readonly detail: AuditRow['detail'];
  /** See {@link BelievedRows}. */
  readonly isBelieved: boolean;
}

/** How an entity must stand after all rows of its workspace. */
export interface NewestChange {
  readonly kind: string;
  readonly id: string;
  readonly revision: number;
  readonly digest: string;
  readonly lane: number;
  readonly seq: number;
  readonly ts: string;
  /** See {@link BelievedRows}. */
  readonly isBelieved: boolean;
  /** Whether it is there after the rows that are believed. */
  readonly isThere: boolean;
  /** All changes since it was made, oldest first, for kinds of which more can be told than that they changed. */
  readonly history: readonly ToldChange[];
}

export interface WorkspaceRows {
  /** By `<kind>/<id>`. */
  readonly changes: ReadonlyMap<string, NewestChange>;
  /** The last row of each lane. */
  readonly ends: LaneEnds;
  /** How many lanes were opened beside the first two. */
  readonly extraLanes: number;
  /** The workspaces that these rows register. */
  readonly registered: ReadonlySet<string>;
  /** Decisions that rows tell of: of this restore, and of earlier ones. */
  readonly decided: readonly ToldDecision[];
}

/** A decision, as its row tells it. */
export interface ToldDecision extends Reconciled {
  readonly lane: number;
  readonly seq: number;
}

/** Kinds whose rows tell what became of them, not only that they changed. */
const TOLD_KINDS: ReadonlySet<string> = new Set(['secret', 'workspace', 'user', 'mfa', 'membership']);
const PAGE = 1_000;

/**
 * Reads all rows of a workspace that retention has not given up. Memory holds a few hundred bytes for each entity that
 * they name.
 */
export async function newestChanges(
  ledger: Ledger,
  workspaceId: string,
  believed: Pick<BelievedRows, 'isBelieved' | 'floor'>,
): Promise<WorkspaceRows> {
  const rows = new Rows(believed);
  const lanes = new Set(await presentLanes(ledger, workspaceId));
  await rows.read(ledger, workspaceId, PRINCIPAL_LANE);
  // Lane 0 may tell of lanes that a set that is lost does not name any more.
  for (const lane of rows.opened) lanes.add(lane);
  for (const lane of lanes) if (lane !== PRINCIPAL_LANE) await rows.read(ledger, workspaceId, lane);
  const extraLanes = [...rows.opened].filter((lane) => lane >= FIRST_EXTRA_LANE).length;
  const { changes, ends, registered, decided } = rows;
  return { changes, ends, extraLanes, registered, decided };
}

/** The last row of each lane. */
export async function readLaneEnds(ledger: Ledger, workspaceId: string): Promise<LaneEnds> {
  const { ends } = await newestChanges(ledger, workspaceId, { isBelieved: () => true, floor: undefined });
  return ends;
}

export function nameOf({ kind, id }: { readonly kind: string; readonly id: string }): string {
  return `${kind}/${id}`;
}

class Rows {
  readonly changes = new Map<string, NewestChange>();
  readonly ends: { [lane: string]: number } = {};
  readonly opened = new Set<number>();
  readonly registered = new Set<string>();
  readonly decided: ToldDecision[] = [];
  readonly #believed: Pick<BelievedRows, 'isBelieved' | 'floor'>;

  constructor(believed: Pick<BelievedRows, 'isBelieved' | 'floor'>) {
    this.#believed = believed;
  }

  async read(ledger: Ledger, workspaceId: string, lane: number): Promise<void> {
    let from = 1;
    for (;;) {
      const page = await ledger.rows({ workspaceId, lane }, from, PAGE);
      for (const stored of page) {
        const content = readRow(stored);
        const isGivenUp = stored.seq <= floorOf(this.#believed.floor, lane);
        if (content !== undefined && !isGivenUp) this.#note(content, lane, stored.seq);
      }
      const last = Math.max(0, ...page.map(({ seq }) => seq));
      if (last < from) break;
      from = last + 1;
    }
    if (from > 1) this.ends[lane] = from - 1;
  }

  #note(row: AuditRow, lane: number, seq: number): void {
    const { action, ts, detail } = row;
    const isBelieved = this.#believed.isBelieved({ lane, seq });
    if (lane === PRINCIPAL_LANE && action === 'lane.opened') this.opened.add(Number(detail['lane']));
    const decision = decisionOf(row);
    if (decision !== undefined) this.decided.push({ ...decision, lane, seq });
    if (action === 'workspace.registered') this.registered.add(row.entity.id);
    for (const { kind, id, revision, digest } of row.changes) {
      const name = nameOf({ kind, id });
      const before = this.changes.get(name);
      const earlier = before === undefined || before.digest === REMOVED_DIGEST ? [] : before.history;
      const told = { action, seq, ts, detail, isBelieved };
      const history = TOLD_KINDS.has(kind) ? [...earlier, told] : [];
      const isThere = isBelieved ? digest !== REMOVED_DIGEST : before?.isThere === true;
      this.changes.set(name, {
        ...{ kind, id, revision, digest, lane, seq, ts },
        ...{ isBelieved, isThere, history },
      });
    }
  }
}

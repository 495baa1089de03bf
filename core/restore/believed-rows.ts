import type { Ledger } from '../audit/ledger.ts';
import type { RetentionFloor } from '../retention/floor.ts';
import { explainedFloor, floorOf } from '../verification/explain-entity.ts';
import { NO_FINDINGS, type VerificationRun } from '../verification/verification-state.ts';
import { verifyTreeSlice } from '../verification/verify-tree.ts';
import type { RestoreParts } from './restore-parts.ts';
import type { LaneEnds, RefilledRows } from './restore-tables.ts';

/** Which rows of a workspace are believed where they open something, and what they say may be missing. */
export interface BelievedRows {
  /** Its own rows, and those that a signed head covers. The others anybody can have added who may write to a backup. */
  isBelieved(row: { readonly lane: number; readonly seq: number }): boolean;
  /** As believed rows tell it. */
  readonly floor: RetentionFloor | undefined;
  /** Rows that were brought back and that no signed head covers. */
  readonly unsealed: number;
}

type Parts = Pick<RestoreParts, 'ledger' | 'inspector' | 'log' | 'clock'>;

/** Leaves compared at once. */
const SLICE = 20_000;
const NOTHING_VERIFIED = { lanes: {} };

/**
 * Compares the rows that were brought back with the signed tree, before anything is decided by them.
 *
 * @param refilled what was noted once they were back.
 * @throws VaultError `unavailable`.
 */
export async function believedRows(
  parts: Parts,
  workspaceId: string,
  { ends, sealed }: Pick<RefilledRows, 'ends' | 'sealed'>,
): Promise<BelievedRows> {
  const isOurs = ({ lane, seq }: { lane: number; seq: number }) => seq > (ends[lane] ?? 0);
  const isCovered = ({ lane, seq }: { lane: number; seq: number }) => seq <= (sealed[lane] ?? 0);
  const covered = hiding(parts.ledger, (row) => isOurs(row) || isCovered(row));
  const altered = await alteredRows({ ...parts, ledger: covered }, workspaceId);
  const isVouched = (row: { lane: number; seq: number }): boolean =>
    isOurs(row) || (isCovered(row) && altered?.has(`${row.lane}-${row.seq}`) === false);
  const floor = await explainedFloor({ ...parts, ledger: hiding(parts.ledger, isVouched) }, workspaceId);
  return {
    // What retention gave up is proved by the log, and not by what lies in its place.
    isBelieved: (row) => row.seq > floorOf(floor, row.lane) && isVouched(row),
    floor,
    unsealed: unsealedRows(ends, sealed),
  };
}

/** A ledger in which single rows are found only where they are believed. */
export function hiding(
  ledger: Ledger,
  isShown: (row: { readonly workspaceId: string; readonly lane: number; readonly seq: number }) => boolean,
): Ledger {
  return {
    lastRow: (lane) => ledger.lastRow(lane),
    row: async (lane, seq) => (isShown({ ...lane, seq }) ? ledger.row(lane, seq) : undefined),
    rows: (lane, from, limit, order) => ledger.rows(lane, from, limit, order),
    extraLanes: (workspaceId) => ledger.extraLanes(workspaceId),
    append: (rows, changes) => ledger.append(rows, changes),
  };
}

/** The sealed rows that are not what was signed; undefined where they are too many to tell, or cannot be compared. */
async function alteredRows(parts: Parts, workspaceId: string): Promise<ReadonlySet<string> | undefined> {
  let run: VerificationRun = {
    id: 'restore',
    kind: 'complete',
    startedAt: parts.clock.now(),
    step: 'tree',
    rows: { lanes: [], heads: {}, missing: [] },
    findings: NO_FINDINGS,
  };
  for (let done = false; !done; )
    ({ run, done } = await verifyTreeSlice(parts, workspaceId, run, NOTHING_VERIFIED, SLICE));
  const { broken, breaks } = run.findings;
  const isTold = broken === breaks.length && breaks.every(({ entity }) => entity === undefined);
  return isTold ? new Set(breaks.map(({ lane, seq }) => `${lane}-${seq}`)) : undefined;
}

function unsealedRows(ends: LaneEnds, sealed: LaneEnds): number {
  return Object.entries(ends).reduce((sum, [lane, end]) => sum + Math.max(0, end - (sealed[lane] ?? 0)), 0);
}

import type { LaneRef, Ledger, StoredRow } from '../audit/ledger.ts';
import type { Anchor } from '../audit/verify-lane.ts';
import type { PublishedLog } from '../seal/published-log.ts';
import type { SealStates } from '../seal/seal-state.ts';
import type { Day } from './day.ts';
import { type CheckedRow, checkedRows } from './day-rows.ts';
import { type ManifestLane, type ManifestPart, partKey } from './manifest.ts';
import { proveSealed } from './sealed-rows.ts';
import type { WritableArchive } from './store-object.ts';
import { MAX_PART_BYTES, writePart } from './write-part.ts';

export interface LaneParts {
  readonly ledger: Ledger;
  readonly seals: SealStates;
  readonly archive: WritableArchive;
  /** @default {@link MAX_PART_BYTES} */
  readonly maxPartBytes?: number;
}

/** The rows of one lane that a day has: those behind `head`, up to `last`. */
export interface DayLane extends LaneRef {
  readonly head: Anchor;
  readonly last: number;
}

/**
 * Archives the rows of one lane in parts. Before a part is written, its rows are a chain from the last archived row on,
 * and its last row, and with it each one before, is proved to be in the signed tree. At most one part is in memory.
 *
 * @param lockedUntil epoch milliseconds until which nobody must be able to remove a part.
 * @throws ArchiveFault, VaultError `unavailable`
 */
export async function archiveLane(
  parts: LaneParts,
  log: PublishedLog,
  day: Day,
  lane: DayLane,
  lockedUntil: number,
): Promise<{ readonly lane: ManifestLane; readonly parts: readonly ManifestPart[] }> {
  const { maxPartBytes = MAX_PART_BYTES } = parts;
  const written: ManifestPart[] = [];
  let firstPrev: string | undefined;
  let end: CheckedRow | undefined;
  let open: StoredRow[] = [];
  let openBytes = 0;

  const flush = async (): Promise<void> => {
    const [first, last] = [open[0], open.at(-1)];
    if (first === undefined || last === undefined) return;
    await proveSealed(parts.seals, log, lane, last.seq, last.hash);
    const raw = {
      key: partKey(lane.workspaceId, day, lane.lane, written.length + 1),
      lane: lane.lane,
      first: first.seq,
      last: last.seq,
      rows: open.map(({ bytes }) => bytes),
    };
    written.push(await writePart(parts.archive, raw, lockedUntil));
    [open, openBytes] = [[], 0];
  };

  for await (const checked of checkedRows(parts.ledger, lane, lane.head, lane.last)) {
    const lineBytes = checked.stored.bytes.length + 1;
    if (openBytes + lineBytes > maxPartBytes) await flush();
    open.push(checked.stored);
    openBytes += lineBytes;
    firstPrev ??= checked.row.prev;
    end = checked;
  }
  await flush();
  if (firstPrev === undefined || end === undefined) throw new TypeError('A lane is archived with its rows.');
  const range = { lane: lane.lane, first: lane.head.seq + 1, last: lane.last };
  return {
    lane: { ...range, firstPrev, lastHash: end.stored.hash, lastTs: end.row.ts },
    parts: written,
  };
}

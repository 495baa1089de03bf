import { lanesOf } from '../audit/lane-set.ts';
import type { Ledger } from '../audit/ledger.ts';
import { rowHash } from '../audit/row.ts';
import { type Anchor, GENESIS } from '../audit/verify-lane.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { SealRefusal } from './refusal.ts';
import type { SealedLane, SealState } from './seal-state.ts';

/** A lane as the table holds it now. */
export interface LaneStanding {
  readonly lane: number;
  /** The last sealed row, `seq` 0 for none. */
  readonly sealed: Anchor;
  /** The last row in the table. */
  readonly lastSeq: number;
}

/** Lanes looked at side by side; nearly every workspace has two. */
const WIDTH = 16;

/**
 * Looks at every lane: its last sealed row must still be there, with the bytes that were sealed. As the rows before it
 * hang together by their hashes, that one row stands for all of them. Retention never deletes it.
 *
 * @throws SealRefusal `log_shrunk` when it is gone, `log_forked` when it is another.
 */
export async function checkLanes(
  ledger: Ledger,
  workspaceId: string,
  state: SealState | undefined,
): Promise<LaneStanding[]> {
  const sealed = state?.lanes ?? {};
  // A lane whose opening was tampered with is looked at all the same.
  const lanes = new Set([...(await lanesOf(ledger, workspaceId)), ...Object.keys(sealed).map(Number)]);
  const rising = [...lanes].sort((a, b) => a - b);
  return concurrently(rising, WIDTH, async (lane) => {
    const [head, last] = await Promise.all([
      checkHead(ledger, workspaceId, lane, sealed[lane]),
      ledger.lastRow({ workspaceId, lane }),
    ]);
    return { lane, sealed: head, lastSeq: last?.seq ?? 0 };
  });
}

/** How many rows wait to be sealed, if none is missing. */
export function waitingRows(lanes: readonly LaneStanding[]): number {
  return lanes.reduce((sum, { sealed, lastSeq }) => sum + Math.max(0, lastSeq - sealed.seq), 0);
}

async function checkHead(
  ledger: Ledger,
  workspaceId: string,
  lane: number,
  sealed: SealedLane | undefined,
): Promise<Anchor> {
  if (sealed === undefined) return GENESIS;
  const { seq, hash, ts } = sealed;
  const row = await ledger.row({ workspaceId, lane }, seq);
  const subject = `row ${lane}-${seq}`;
  if (row === undefined) {
    throw new SealRefusal(
      'log_shrunk',
      subject,
      'The last sealed row of its lane is gone. If the tables were restored from a backup, recover the sealed rows.',
      { sealed: hash },
    );
  }
  const found = rowHash(row.bytes);
  if (found !== hash) {
    throw new SealRefusal('log_forked', subject, 'The last sealed row of its lane was rewritten.', {
      sealed: hash,
      found,
    });
  }
  return { seq, hash, ts, storedHash: row.hash };
}

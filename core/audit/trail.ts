import type { Clock, Random } from '../kernel/ports.ts';
import { append } from './append.ts';
import { type Head, headAfter } from './build-rows.ts';
import type { AuditEvent, Origin, RowPosition } from './event.ts';
import { createLaneChoice, type LanePolicy } from './lane-choice.ts';
import { FIRST_EXTRA_LANE } from './lane-set.ts';
import { laneStart } from './lane-start.ts';
import { type LaneRef, type Ledger, MAX_TRANSACTION_ITEMS } from './ledger.ts';

/**
 * The one door for writes. `commit` writes the rows of some events and the changes that these explain in a single
 * transaction: there is no change without its row.
 */
export interface AuditTrail {
  /**
   * @param origin with the lane for changes; what changes nothing may go to another one: see `lane-choice.ts`.
   * @param events at least one, in order; with their changes at most 100 items and 4 MB.
   * @returns where each event's row stands.
   * @throws VaultError `concurrent_change` when an entity is not at the revision that a change expects (nothing was
   * written; {@link RefusedChanges} says which); `unavailable` when the rows could not be written, or not in time. After
   * `unavailable` the events may still have been written: a retry must be safe.
   */
  commit(origin: Origin, events: readonly AuditEvent[]): Promise<readonly RowPosition[]>;
}

interface Parts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  /** @default {@link DEFAULT_LANE_POLICY} */
  readonly lanePolicy?: LanePolicy;
}

/** Where this instance left a lane. */
interface KnownHead {
  readonly head: Head;
  /** Whether others were seen to write to the lane: then a read costs less than a put that fails. */
  readonly isShared: boolean;
}

/** Heads kept for this many lanes; a lane that fell out costs one more read. */
const CACHED_HEADS = 1_000;

export function createAuditTrail(parts: Parts): AuditTrail {
  const heads = new Map<string, KnownHead>();
  const queues = new Map<string, Promise<unknown>>();

  const remember = (key: string, head: KnownHead): void => {
    heads.delete(key);
    heads.set(key, head);
    const oldest = heads.keys().next().value;
    if (heads.size > CACHED_HEADS && oldest !== undefined) heads.delete(oldest);
  };

  const trail: AuditTrail = {
    async commit(origin, events) {
      checkSize(events);
      const placed = { ...origin, lane: await lanes.choose(origin, events) };
      const key = `${placed.workspaceId}#${placed.lane}`;
      return inTurn(queues, key, async () => {
        const known = heads.get(key);
        // Forgotten until the append is known to stand: after a failure the next commit looks for itself.
        heads.delete(key);
        const findHead = () => currentHead(parts, trail, placed);
        const head = known === undefined || known.isShared ? await findHead() : known.head;
        const appended = await append(parts, { origin: placed, events, head, findHead });
        // Extra lanes are there because others write; of the first two that has to show.
        const isAlone = known === undefined ? placed.lane < FIRST_EXTRA_LANE : known.head.seq === head.seq;
        remember(key, { head: appended.head, isShared: !isAlone || appended.defeats > 0 });
        lanes.noteDefeats(placed, appended.defeats);
        return appended.rows.map(({ lane, seq }) => ({ lane, seq }));
      });
    },
  };
  const lanes = createLaneChoice(parts, trail);
  return trail;
}

/** @throws TypeError: a use case that wants more than one transaction holds has to commit in slices. */
function checkSize(events: readonly AuditEvent[]): void {
  const items = events.reduce((count, { changes = [] }) => count + 1 + changes.length, 0);
  if (events.length === 0 || items > MAX_TRANSACTION_ITEMS) {
    throw new TypeError(`A commit has 1 to ${MAX_TRANSACTION_ITEMS} rows and changes, not ${items}.`);
  }
}

async function currentHead({ ledger }: Parts, trail: AuditTrail, lane: LaneRef): Promise<Head> {
  const last = await ledger.lastRow(lane);
  if (last !== undefined) return headAfter(last);
  return { seq: 0, hash: await laneStart(ledger, trail, lane), time: 0 };
}

/** One at a time for each lane within this process: its writers would only take the next row from each other. */
async function inTurn<T>(
  queues: Map<string, Promise<unknown>>,
  key: string,
  work: () => Promise<T>,
): Promise<T> {
  const previous = queues.get(key) ?? Promise.resolve();
  const turn = previous.then(work, work);
  const settled = turn.catch(() => undefined);
  queues.set(key, settled);
  try {
    return await turn;
  } finally {
    if (queues.get(key) === settled) queues.delete(key);
  }
}

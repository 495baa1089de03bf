import { create } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import { RefusedChanges } from './append.ts';
import { type AuditEvent, type Origin, PRINCIPAL_LANE } from './event.ts';
import { extraLaneFor, FIRST_EXTRA_LANE, laneSetKind } from './lane-set.ts';
import { laneOpened, systemOrigin } from './lane-start.ts';
import type { LaneRef, Ledger } from './ledger.ts';
import type { AuditTrail } from './trail.ts';

/** When a workspace gets more lanes, and how many. */
export interface LanePolicy {
  /** Races for lane 0 that one instance lost within {@link WINDOW_MS}. */
  readonly contendedAfter: number;
  /** Lanes beside the first two, 1 to 64. */
  readonly extraLanes: number;
}

export const DEFAULT_LANE_POLICY: LanePolicy = { contendedAfter: 8, extraLanes: 15 };

/** Races lost longer ago than this do not count. */
export const WINDOW_MS = 10_000;
/** At most this often an instance that lost races looks whether others have opened lanes. */
const LOOK_EVERY_MS = 60_000;
/** Workspaces kept in mind; one that fell out uses lane 0 until a race is lost there again. */
const WATCHED_WORKSPACES = 1_000;

/** What an instance knows of a workspace in whose lane 0 it has lost a race. */
interface Watched {
  /** Extra lanes known of. Once there are any, their number stays. */
  extraLanes: number;
  /** Within the window that began at `windowStart`. */
  defeats: number;
  windowStart: number;
  /** Whether a race was lost since the last look. */
  isDue: boolean;
  nextLook: number;
}

/** Decides for each commit which lane its rows go to. */
export interface LaneChoice {
  choose(origin: Origin, events: readonly AuditEvent[]): Promise<number>;
  /** To be told after each append how many races it lost. */
  noteDefeats(lane: LaneRef, defeats: number): void;
}

/**
 * Spreads what principals read over the extra lanes of a workspace, by the entity that the commit names first: so the
 * rows about one secret stand in one lane, in order. Whatever changes anything stays in lane 0, which thereby tells the
 * order of all changes; so does what the vault itself notes down.
 *
 * Lane 0 is right for every row. So nobody looks for other lanes before a race was lost in lane 0: a quiet workspace
 * never pays for them.
 */
export function createLaneChoice(
  parts: { readonly ledger: Ledger; readonly clock: Clock; readonly lanePolicy?: LanePolicy },
  trail: AuditTrail,
): LaneChoice {
  const { ledger, clock, lanePolicy: policy = DEFAULT_LANE_POLICY } = parts;
  const watched = new Map<string, Watched>();

  const countExtraLanes = async (workspaceId: string): Promise<number> => {
    const seen = watched.get(workspaceId);
    if (seen === undefined || seen.extraLanes > 0) return seen?.extraLanes ?? 0;
    const isContended = seen.defeats >= policy.contendedAfter;
    if (!isContended && !(seen.isDue && clock.now() >= seen.nextLook)) return 0;
    // Before the wait, so that nobody else in this instance does the same meanwhile.
    if (isContended) seen.defeats = 0;
    Object.assign(seen, { isDue: false, nextLook: clock.now() + LOOK_EVERY_MS });
    try {
      seen.extraLanes = await (isContended
        ? openLanes(ledger, trail, workspaceId, policy.extraLanes)
        : openedLanes(ledger, workspaceId));
    } catch (error) {
      // A store that does not answer, or a set that somebody damaged, must not stop recording: lane 0 is there.
      if (!(error instanceof VaultError)) throw error;
    }
    return seen.extraLanes;
  };

  return {
    async choose(origin, events) {
      const [first] = events;
      if (first === undefined || !mayMove(origin, events)) return origin.lane;
      const count = await countExtraLanes(origin.workspaceId);
      return count === 0 ? origin.lane : extraLaneFor(first.entity, count);
    },

    noteDefeats({ workspaceId, lane }, defeats) {
      if (lane !== PRINCIPAL_LANE || defeats === 0) return;
      const now = clock.now();
      const seen = watched.get(workspaceId) ?? newlyWatched(now);
      if (now - seen.windowStart > WINDOW_MS) Object.assign(seen, { defeats: 0, windowStart: now });
      seen.defeats += defeats;
      seen.isDue = true;
      watched.delete(workspaceId);
      watched.set(workspaceId, seen);
      const oldest = watched.keys().next().value;
      if (watched.size > WATCHED_WORKSPACES && oldest !== undefined) watched.delete(oldest);
    },
  };
}

function newlyWatched(now: number): Watched {
  return { extraLanes: 0, defeats: 0, windowStart: now, isDue: false, nextLook: now };
}

function mayMove({ lane, actor }: Origin, events: readonly AuditEvent[]): boolean {
  if (lane !== PRINCIPAL_LANE || (actor.type !== 'api_key' && actor.type !== 'user')) return false;
  return events.every(({ changes = [] }) => changes.length === 0);
}

async function openedLanes(ledger: Ledger, workspaceId: string): Promise<number> {
  return (await ledger.extraLanes(workspaceId)).length;
}

/** Opens the lanes in one commit of lane 0. Of two that try it at once, one is refused and finds the other's. */
async function openLanes(
  ledger: Ledger,
  trail: AuditTrail,
  workspaceId: string,
  count: number,
): Promise<number> {
  const set = create(laneSetKind, { workspaceId, id: workspaceId, count });
  const openings = Array.from({ length: count }, (_, index) =>
    laneOpened(workspaceId, FIRST_EXTRA_LANE + index),
  );
  const events = openings.map((event, index) => (index === count - 1 ? { ...event, changes: [set] } : event));
  try {
    await trail.commit(systemOrigin(workspaceId), events);
    return count;
  } catch (error) {
    if (error instanceof RefusedChanges) return openedLanes(ledger, workspaceId);
    throw error;
  }
}

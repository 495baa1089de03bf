import * as z from 'zod';
import { RefusedChanges } from '../audit/append.ts';
import { type AuditEvent, STRANGER_LANE } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { create, type Kind } from '../kernel/entity.ts';
import type { Clock } from '../kernel/ports.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { Bookkeeping, Tally } from './bookkeeping.ts';
import {
  comesFirst,
  countsSources,
  MAX_SOURCES_PER_MINUTE,
  PLAN_LIMIT,
  readReason,
} from './record-failed-authentication.ts';

/** Marks a minute's tallies of one workspace as recorded, so that a sweep which runs twice records them once. */
const sweepMarkSchema = z.strictObject({
  kind: z.literal('sweepMark'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type SweepMark = z.infer<typeof sweepMarkSchema>;

export const sweepMarkKind: Kind<SweepMark> = {
  name: 'sweepMark',
  schema: sweepMarkSchema,
  expiry: (mark) => mark.expiresAt,
};

interface Parts {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly bookkeeping: Bookkeeping;
}

const MINUTE_MS = 60_000;
/** Counters live for two hours; what was not swept within one is given up. */
const REACH_MINUTES = 55;
const MARK_LIFE_MS = 2 * 60 * MINUTE_MS;

/**
 * Turns the counted repeats of the minutes that are over into rows, one for each source. A run that dies half way is
 * finished by the next: a minute counts as swept only after its rows are written, and marks keep it from being
 * written twice.
 *
 * @returns how many rows were written.
 */
export async function sweepTallies(parts: Parts): Promise<number> {
  const { clock, bookkeeping } = parts;
  // The minute that has just ended is left alone once more: a request may still be counting in it.
  const end = Math.floor(clock.now() / MINUTE_MS) - 1;
  const earliest = end - REACH_MINUTES;
  const swept = (await bookkeeping.sweptUntil()) ?? earliest;
  let rows = 0;
  // A mark that lies in the future was not set by this job.
  for (let minute = swept > end ? earliest : Math.max(earliest, swept); minute < end; minute += 1) {
    const byWorkspace = Map.groupBy(await bookkeeping.tallies(minute), (tally) => tally.workspaceId);
    for (const [workspaceId, tallies] of byWorkspace)
      rows += await recordMinute(parts, workspaceId, minute, tallies);
    await bookkeeping.markSwept(minute + 1);
  }
  return rows;
}

async function recordMinute(
  parts: Parts,
  workspaceId: string,
  minute: number,
  tallies: readonly Tally[],
): Promise<number> {
  const details = minuteDetails(tallies);
  if (details.length === 0) return 0;
  const mark = create(sweepMarkKind, {
    workspaceId,
    id: String(minute),
    expiresAt: parts.clock.now() + MARK_LIFE_MS,
  });
  const events = details.map(
    (detail, index): AuditEvent => ({
      action: 'authentication.failed',
      entity: { type: 'workspace', id: workspaceId },
      result: 'denied',
      detail: { ...detail, minute: timestamp(minute * MINUTE_MS) },
      ...(index === 0 ? { changes: [mark] } : {}),
    }),
  );
  try {
    await parts.trail.commit({ ...systemOrigin(workspaceId, 'tally'), lane: STRANGER_LANE }, events);
    return events.length;
  } catch (error) {
    // The mark is there already: an earlier run wrote these rows and died before it could say so.
    if (error instanceof RefusedChanges) return 0;
    throw error;
  }
}

/** Those who tried to get in, and those who were in and over their plan's limit, which is no attempt at anything. */
function minuteDetails(tallies: readonly Tally[]): { [key: string]: string }[] {
  const sources = tallies.filter((tally) => !countsSources(tally));
  const isRefused = (tally: Tally) => readReason(tally).reason === PLAN_LIMIT;
  const failed = sources.filter((tally) => !isRefused(tally));
  return [...sourceDetails(failed, 'many_sources'), ...sourceDetails(sources.filter(isRefused), PLAN_LIMIT)];
}

/** One entry for each source that came again, and one for all beyond those that a minute has rows for. */
function sourceDetails(tallies: readonly Tally[], restReason: string): { [key: string]: string }[] {
  const sources = tallies.toSorted((a, b) => Number(comesFirst(b)) - Number(comesFirst(a)));
  const told = sources.slice(0, MAX_SOURCES_PER_MINUTE);
  const details: { [key: string]: string }[] = told
    .filter((tally) => tally.count > 1)
    .map((tally) => ({
      ...readReason(tally),
      sourceIp: tally.ip,
      repeats: String(tally.count - 1),
    }));
  const others = sources.slice(MAX_SOURCES_PER_MINUTE);
  if (others.length > 0) {
    const failures = others.reduce((sum, { count }) => sum + count, 0);
    details.push({ reason: restReason, otherSources: String(others.length), failures: String(failures) });
  }
  return details;
}

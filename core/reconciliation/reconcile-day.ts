import { type Day, dayEnd, dayStart } from '../archive/day.ts';
import type { Ledger } from '../audit/ledger.ts';
import type { DeploymentKeys } from '../encryption-keys/wrapping-key.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Clock } from '../kernel/ports.ts';
import { DAY_MS } from '../kernel/timestamps.ts';
import { CANARY_WORKSPACE } from '../probe/canary.ts';
import { everyWorkspace } from '../workspaces/every-workspace.ts';
import type { Allowance } from './allowance.ts';
import {
  type CollectedCalls,
  type CollectParts,
  collectCalls,
  MAX_CALLS_HELD,
  type ValueCall,
} from './collect-calls.ts';
import type { CallSpan } from './key-calls.ts';
import { callsWithoutRow } from './match-calls.ts';
import { parseValueKey } from './opened-value.ts';
import { type PermittedMove, PermittedMoves } from './permitted-moves.ts';
import { countOpenings, homesOfPeople, readAccount } from './read-openings.ts';
import { type TellParts, tellBlindness, tellStrange, tellUnexplained, type Unexplained } from './tell.ts';

export interface DayParts extends CollectParts, TellParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly deploymentKeys: DeploymentKeys;
}

/** What a day came to. */
export interface DayOutcome {
  readonly files: number;
  /** Calls that opened values or moved them to another key, each counted once. */
  readonly calls: number;
  /** Those among them that moved a value. */
  readonly moved: number;
  /** Encryption contexts among them: versions of secrets. */
  readonly contexts: number;
  readonly withoutRow: number;
  readonly byStrangers: number;
  /** Whether the log told of all that it should have told of. */
  readonly isComplete: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Whether a row of just before midnight is used up already is known by looking at the calls before midnight. */
const BEFORE_MS = 10 * MINUTE_MS;
const AFTER_MS = MINUTE_MS;
/** Calls of an hour are delivered by then, and mostly within minutes. */
const DELIVERY_MS = HOUR_MS;
/** The canary is revealed four times an hour. */
const OPENINGS_OF_AN_HOUR = 2;

/**
 * Reconciles one day, UTC: every call that opened a value against the audit rows, counted for each encryption context;
 * every call that moved one against the keys that it may lie under. Doing so again raises no alert a second time. A day
 * that is not over is reconciled as far as it is known.
 *
 * @param deliveredUntil epoch milliseconds: until when the log is searched for late deliveries.
 * @throws VaultError `unavailable`
 */
export async function reconcileDay(
  parts: DayParts,
  day: Day,
  deliveredUntil = dayEnd(day) + DAY_MS - 1,
  maxCallsHeld = MAX_CALLS_HELD,
): Promise<DayOutcome> {
  const isJudged = ({ at }: { readonly at: number }) => at >= dayStart(day) && at < dayEnd(day);
  const span = { from: dayStart(day) - BEFORE_MS, to: dayEnd(day) + AFTER_MS, deliveredUntil };
  const first = await collectCalls(parts, span, { index: 0, of: 1 }, maxCallsHeld);
  const unexplained: Unexplained[] = [];
  let calls = 0;
  let moved = 0;
  let contexts = 0;
  for (let index = 0; index < first.shares; index += 1) {
    const share = { index, of: first.shares };
    const { values } = index === 0 ? first : await collectCalls(parts, span, share, maxCallsHeld);
    const { allowances, moves } = await accountsFor(parts, span, values);
    for (const [value, made] of values) {
      const judged = made.filter(isJudged);
      calls += judged.length;
      moved += judged.filter(({ movedTo }) => movedTo !== undefined).length;
      contexts += judged.length > 0 ? 1 : 0;
      const openings = made.filter(({ isExplicable, movedTo }) => isExplicable && movedTo === undefined);
      const unmatched = new Set<ValueCall>(callsWithoutRow(openings, allowances.get(value) ?? []));
      for (const call of judged) {
        const { movedTo } = call;
        if (movedTo !== undefined && !(await moves.has(value, movedTo))) unmatched.add(call);
      }
      const left = judged.filter((call) => !call.isExplicable || unmatched.has(call));
      if (left.length > 0) unexplained.push({ value, calls: left });
    }
  }
  const strange = first.strange.filter(isJudged);
  await tellUnexplained(parts, day, unexplained);
  await tellStrange(parts, day, strange, parts.roles);
  return {
    files: first.files,
    calls,
    moved,
    contexts,
    withoutRow: unexplained.reduce((sum, { calls: left }) => sum + left.length, 0),
    byStrangers: strange.filter(({ errorCode }) => errorCode === undefined).length,
    isComplete: await checkCompleteness(parts, day, first),
  };
}

interface Accounts {
  /** By value. */
  readonly allowances: ReadonlyMap<string, readonly Allowance[]>;
  readonly moves: PermittedMoves;
}

/** What rows and keys account for. */
async function accountsFor(
  parts: DayParts,
  span: CallSpan,
  values: CollectedCalls['values'],
): Promise<Accounts> {
  const opened = [...values.keys()].map(parseValueKey);
  const people = opened.filter(({ workspaceId }) => workspaceId === PLATFORM_WORKSPACE);
  const homes = await homesOfPeople(parts, new Set(people.map(({ secretId }) => secretId)), span);
  const tenants = opened.map(({ workspaceId }) => workspaceId).filter((id) => id !== PLATFORM_WORKSPACE);
  const found = new Map<string, Allowance[]>();
  const named: PermittedMove[] = [];
  for (const workspaceId of new Set([...tenants, ...homes])) {
    const { allowances, moves } = await readAccount(parts, workspaceId, span, values);
    named.push(...moves);
    for (const allowance of allowances) {
      const of = found.get(allowance.value);
      if (of === undefined) found.set(allowance.value, [allowance]);
      else of.push(allowance);
    }
  }
  return { allowances: found, moves: new PermittedMoves(parts, named) };
}

/** Whether the log of calls can be believed: silence is not health. */
async function checkCompleteness(
  parts: DayParts,
  day: Day,
  { damaged, hours }: CollectedCalls,
): Promise<boolean> {
  const [damagedFile] = damaged;
  if (damagedFile !== undefined) {
    const seen = `${damaged.length} files of the log of key calls cannot be read.`;
    const detail = { file: damagedFile.slice(0, 512).toWellFormed() };
    await tellBlindness(parts, day, { reason: 'damaged_files', seen, detail });
  }
  const isSilent = await tellSilence(parts, day, hours);
  return damagedFile === undefined && !isSilent;
}

async function tellSilence(parts: DayParts, day: Day, hours: ReadonlySet<number>): Promise<boolean> {
  const firstHour = dayStart(day) / HOUR_MS;
  const delivered = parts.clock.now() - DELIVERY_MS;
  const own = Array.from({ length: 24 }, (_, index) => firstHour + index);
  const over = own.filter((hour) => (hour + 1) * HOUR_MS <= delivered);
  if (!own.some((hour) => hours.has(hour))) {
    const span = { from: dayStart(day), to: Math.min(dayEnd(day), delivered) };
    if (!(await hasOpenings(parts, span))) return false;
    const seen = 'The vault opened values, and the log of key calls has none of the calls.';
    await tellBlindness(parts, day, { reason: 'no_calls', seen });
    return true;
  }
  const silent: number[] = [];
  for (const hour of over.filter((each) => !hours.has(each))) {
    const span = { from: hour * HOUR_MS, to: (hour + 1) * HOUR_MS };
    const openings = await countOpenings(parts, CANARY_WORKSPACE, span);
    if (openings >= OPENINGS_OF_AN_HOUR) silent.push(hour - firstHour);
  }
  if (silent.length === 0) return false;
  const list = silent.join(' ');
  const seen = `The canary was revealed, and the log of key calls has no calls, in the hours ${list} (UTC).`;
  await tellBlindness(parts, day, { reason: 'silent_hours', seen, detail: { hours: list } });
  return true;
}

async function hasOpenings(parts: DayParts, span: Pick<CallSpan, 'from' | 'to'>): Promise<boolean> {
  if (span.from >= span.to) return false;
  for await (const workspaceId of everyWorkspace(parts.store)) {
    if ((await countOpenings(parts, workspaceId, span)) > 0) return true;
  }
  return false;
}

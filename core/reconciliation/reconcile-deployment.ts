import { type Day, dayOf, daysBefore, nextDay } from '../archive/day.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { type DayOutcome, type DayParts, reconcileDay } from './reconcile-day.ts';
import type { ReconciliationState, ReconciliationStates } from './reconciliation-state.ts';
import { tellBlindness } from './tell.ts';

export interface ReconciliationParts extends DayParts {
  readonly trail: AuditTrail;
  readonly states: ReconciliationStates;
}

export interface DayReconciled {
  readonly day: Day;
  readonly outcome: DayOutcome;
}

/** Missed days are made up for as long as this. */
const MADE_UP_DAYS = 14;

/**
 * Reconciles yesterday; the day before once more, since calls may have been delivered late; and the days that were missed
 * since. Each result is given out as soon as it stands. A crash repeats a day, and its event; so does an alert that could
 * not be raised. A day that cannot be compared keeps no other one from it.
 *
 * @param mayGoOn asked before each day; whatever is left is for the next run.
 * @throws VaultError `unavailable`, for the first day that failed, after the others.
 */
export async function* reconcileDeployment(
  parts: ReconciliationParts,
  mayGoOn: () => boolean,
): AsyncGenerator<DayReconciled> {
  const yesterday = daysBefore(dayOf(parts.clock.now()), 1);
  const state = await readState(parts);
  const errors: unknown[] = [];
  for (const day of dueDays(state, yesterday)) {
    if (!mayGoOn()) break;
    try {
      yield { day, outcome: await reconcile(parts, day) };
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}

/** Reconciles one day now, with all that was delivered until now: however old it is, and if it is not over. */
export async function reconcileOnOrder(parts: ReconciliationParts, day: Day): Promise<DayReconciled> {
  return { day, outcome: await reconcile(parts, day, parts.clock.now()) };
}

function dueDays({ days }: ReconciliationState, yesterday: Day): Day[] {
  const [oldest = yesterday] = Object.keys(days).sort();
  const dayBefore = daysBefore(yesterday, 1);
  const due: Day[] = [];
  for (let day = daysBefore(yesterday, MADE_UP_DAYS - 1); day <= yesterday; day = nextDay(day)) {
    const isMissed = day > oldest && days[day] === undefined;
    if (isMissed || day === yesterday || (day === dayBefore && oldest <= dayBefore)) due.push(day);
  }
  return due;
}

async function reconcile(parts: ReconciliationParts, day: Day, deliveredUntil?: number): Promise<DayOutcome> {
  try {
    const outcome = await reconcileDay(parts, day, deliveredUntil);
    await record(parts, day, outcome);
    return outcome;
  } catch (error) {
    const isPassing = error instanceof VaultError && error.code === 'unavailable';
    const reason = isPassing ? 'failed' : 'broken';
    const seen = 'The calls of this day could not be compared with the audit rows.';
    await tellBlindness(parts, day, { reason, seen }).catch(() => undefined);
    throw error;
  }
}

/** Writes the event of a day, unless the last one of it says the same, and remembers it. */
async function record(parts: ReconciliationParts, day: Day, outcome: DayOutcome): Promise<void> {
  const { trail, states, clock } = parts;
  const state = await readState(parts);
  const summary = canonicalJson({ ...outcome });
  if (state.days[day] === summary) return;
  const { isComplete, ...counts } = outcome;
  const isClean = outcome.withoutRow === 0 && outcome.byStrangers === 0 && isComplete;
  await trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'reconciler'), [
    {
      action: 'key.decrypts_reconciled',
      entity: { type: 'day', id: day },
      result: isClean ? 'success' : 'failure',
      detail: {
        ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)])),
        complete: String(isComplete),
      },
    },
  ]);
  const kept = daysBefore(dayOf(clock.now()), MADE_UP_DAYS + 1);
  const days = Object.entries({ ...state.days, [day]: summary }).filter(([each]) => each >= kept);
  // Where it changed, another run did the same: the next one does it again and finds it so.
  await states.replace({ version: state.version + 1, days: Object.fromEntries(days) });
}

async function readState({ states }: ReconciliationParts): Promise<ReconciliationState> {
  return (await states.read()) ?? { version: 0, days: {} };
}

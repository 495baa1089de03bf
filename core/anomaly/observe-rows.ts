import type { ReadableRow } from '../audit/merged-rows.ts';
import type { Alert } from '../detection/alert.ts';
import { actorName, type LaneNumbers, type Told } from './anomaly-states.ts';
import type { Sighting } from './detector.ts';
import type { Detectors } from './detectors.ts';
import { limitAlerts } from './limit-alerts.ts';
import type { Locations } from './locations.ts';
import type { Observation } from './observation.ts';
import { observeRow } from './observe-row.ts';
import type { Faults, States, WorkingActor } from './profiles.ts';
import { type DetectorSettings, settingsRevision } from './settings.ts';
import { inherit, successionOf } from './succession.ts';

/** What rows are looked at with. The states are changed in place. */
export interface Watch {
  readonly detectors: Detectors;
  readonly settings: ReadonlyMap<string, DetectorSettings>;
  readonly locations: Locations;
  readonly workspace: States;
  /** By {@link actorName}. */
  readonly actors: ReadonlyMap<string, WorkingActor>;
  /** Rows before this time are only learned from, in epoch milliseconds. */
  readonly raiseFrom: number;
  /** Of the settings, as they are now. */
  readonly newestRevision: number;
  readonly faults: Faults;
}

export interface Observed {
  /** Rows that the detectors looked at. */
  readonly rows: number;
  readonly alerts: readonly Alert[];
  readonly told: Told;
  /** The last row of each lane that was passed. */
  readonly passed: LaneNumbers;
  /** Whether the last row that was passed made the settings what they are now. */
  readonly changesSettings: boolean;
  /** The first row that was left because of that. */
  readonly left?: ReadableRow;
}

/**
 * Shows rows to the detectors, in their order. A row that an actor's states know already is not shown to them again.
 * Ends behind the row that made the detectors' settings what they are now. Of settings that held between two changes no
 * more is known than that they did: the rows in between are judged by those before, so that a second change hides nothing
 * of what came after the first.
 */
export function observeRows(watch: Watch, rows: readonly ReadableRow[], toldBefore: Told): Observed {
  const alerts: Alert[] = [];
  const passed: Record<string, number> = {};
  let told = toldBefore;
  let observed = 0;
  for (const [index, row] of rows.entries()) {
    const { workspaceId, lane, seq } = row.stored;
    passed[lane] = seq;
    const observation = observeRow(row, watch.locations);
    if (observation === undefined) continue;
    observed += 1;
    const found = observe(watch, observation, lane, seq).filter(({ detector }) =>
      isRaised(watch, detector, observation),
    );
    const limited = limitAlerts(told, found, observation.at);
    told = limited.told;
    for (const { detector, ...sighting } of limited.raised)
      alerts.push({ ...sighting, workspaceId, occurrence: `${observation.id} ${detector}` });
    const revision = settingsRevision(row.content);
    if (revision === undefined || revision < watch.newestRevision) continue;
    const left = rows[index + 1];
    return { rows: observed, alerts, told, passed, changesSettings: true, ...(left && { left }) };
  }
  return { rows: observed, alerts, told, passed, changesSettings: false };
}

type Found = Sighting & { readonly detector: string };

function observe(watch: Watch, observation: Observation, lane: number, seq: number): Found[] {
  const found: Found[] = [];
  ask(watch, watch.workspace, observation, found);
  const actor = watch.actors.get(actorName(observation.actor));
  if (actor !== undefined && isNew(actor, lane, seq)) {
    see(actor, observation, lane, seq);
    ask(watch, actor.states, observation, found);
  }
  succeed(watch, observation, lane, seq);
  return found;
}

function isNew({ seen }: WorkingActor, lane: number, seq: number): boolean {
  return seq > (seen.get(lane) ?? 0);
}

function see(actor: WorkingActor, { at }: Observation, lane: number, seq: number): void {
  actor.seen.set(lane, seq);
  actor.lastSeenAt = at;
}

/** The row of a rotation counts as one of the successor's: so it inherits once. */
function succeed({ detectors, actors }: Watch, observation: Observation, lane: number, seq: number): void {
  const succession = successionOf(observation);
  if (succession === undefined) return;
  const [old, successor] = [actors.get(succession.from), actors.get(succession.to)];
  if (old === undefined || successor === undefined || !isNew(successor, lane, seq)) return;
  see(successor, observation, lane, seq);
  inherit(detectors, old.states, successor.states);
}

/** A detector that fails begins anew: what it has left half done is worth nothing, and it must not stop the others. */
function ask(
  { detectors, settings, faults }: Watch,
  states: States,
  observation: Observation,
  found: Found[],
): void {
  for (const [name, state] of states) {
    const detector = detectors.get(name);
    const set = settings.get(name);
    if (detector === undefined || set === undefined) continue;
    try {
      for (const sighting of detector.observe(state, observation, set.thresholds))
        found.push({ ...sighting, detector: name });
    } catch {
      faults.add(`${name}: failed`);
      states.set(name, detector.initial());
    }
  }
}

function isRaised({ settings, raiseFrom }: Watch, detector: string, { at }: Observation): boolean {
  return settings.get(detector)?.enabled === true && at >= raiseFrom;
}

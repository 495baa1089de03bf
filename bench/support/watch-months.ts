import { actorName } from '../../core/anomaly/anomaly-states.ts';
import type { Sighting } from '../../core/anomaly/detector.ts';
import type { Detectors } from '../../core/anomaly/detectors.ts';
import { limitAlerts, NOTHING_TOLD } from '../../core/anomaly/limit-alerts.ts';
import type { Observation } from '../../core/anomaly/observation.ts';
import { cpuTime } from './cpu-time.ts';
import type { Attack, Months } from './months.ts';

/** A detector at work with its default thresholds. */
type Look = (row: Observation) => readonly Sighting[];

/** Every detector, with the states of one workspace and its actors, as a run of the watch has them. */
export class Watchman {
  readonly #detectors: Detectors;
  readonly #workspace: readonly Look[];
  readonly #actors = new Map<string, { readonly looks: readonly Look[]; readonly states: unknown[] }>();

  constructor(detectors: Detectors) {
    this.#detectors = detectors;
    this.#workspace = this.#looks('workspace').looks;
  }

  observe(row: Observation): readonly Sighting[] {
    let found: readonly Sighting[] = NONE;
    for (const look of this.#workspace) found = joined(found, look(row));
    if (row.actor.type !== 'api_key' && row.actor.type !== 'user') return found;
    const name = actorName(row.actor);
    let actor = this.#actors.get(name);
    if (actor === undefined) {
      actor = this.#looks('actor');
      this.#actors.set(name, actor);
    }
    for (const look of actor.looks) found = joined(found, look(row));
    return found;
  }

  /** The largest size of what is stored of one actor, in characters of JSON. */
  largestActor(): number {
    return Math.max(0, ...[...this.#actors.values()].map(({ states }) => JSON.stringify(states).length));
  }

  #looks(scope: 'actor' | 'workspace'): { looks: Look[]; states: unknown[] } {
    const states: unknown[] = [];
    const looks: Look[] = [];
    for (const detector of this.#detectors.values()) {
      if (detector.scope !== scope) continue;
      const state = detector.initial();
      const thresholds = detector.thresholds.parse({});
      states.push(state);
      looks.push((row) => detector.observe(state, row, thresholds));
    }
    return { looks, states };
  }
}

const NONE: readonly Sighting[] = [];

function joined(found: readonly Sighting[], more: readonly Sighting[]): readonly Sighting[] {
  if (more.length === 0) return found;
  return found.length === 0 ? more : [...found, ...more];
}

export interface Raised {
  readonly sighting: Sighting;
  readonly at: number;
  /** The attack that it is about; `undefined` for a false alarm. */
  readonly attack: Attack | undefined;
}

export interface Watched {
  readonly rows: number;
  /** Milliseconds of one processor that the detectors took. */
  readonly milliseconds: number;
  readonly raised: readonly Raised[];
  /** When each attack was found. */
  readonly foundAt: ReadonlyMap<Attack, number>;
  readonly weeks: number;
  readonly largestActor: number;
}

/** So long after an attack, an alert that names who was attacked is about the attack. */
const AFTERMATH_MS = 24 * 3_600_000;

/** Shows months to the detectors, and tells which of the alerts were raised for an attack. */
export function watchMonths(detectors: Detectors, months: Months): Watched {
  const watchman = new Watchman(detectors);
  const raised: Raised[] = [];
  const foundAt = new Map<Attack, number>();
  let told = NOTHING_TOLD;
  let rows = 0;
  let weeks = 0;
  let milliseconds = 0;
  for (const week of months.weeks()) {
    const seen: { readonly index: number; readonly found: readonly Sighting[] }[] = [];
    const start = cpuTime();
    for (let index = 0; index < week.length; index += 1) {
      const made = week[index];
      if (made === undefined) continue;
      const found = watchman.observe(made.row);
      if (found.length > 0) seen.push({ index, found });
    }
    milliseconds += cpuTime() - start;
    rows += week.length;
    weeks += 1;
    for (const { index, found } of seen) {
      const made = week[index];
      if (made === undefined) continue;
      const { row } = made;
      const limited = limitAlerts(told, found, row.at);
      told = limited.told;
      for (const sighting of limited.raised) {
        const attack = made.attack ?? aftermathOf(months.attacks, sighting, row.at);
        raised.push({ sighting, at: row.at, attack });
        if (attack?.finds.includes(sighting.kind) && !foundAt.has(attack)) foundAt.set(attack, row.at);
      }
    }
  }
  return { rows, milliseconds, raised, foundAt, weeks, largestActor: watchman.largestActor() };
}

function aftermathOf(attacks: readonly Attack[], { subject }: Sighting, at: number): Attack | undefined {
  return attacks.find(
    ({ firstAt, lastAt, subjects }) =>
      at >= firstAt && at <= lastAt + AFTERMATH_MS && [...subjects].some((name) => subject.includes(name)),
  );
}

import { actorName } from '../../core/anomaly/anomaly-states.ts';
import type { Sighting } from '../../core/anomaly/detector.ts';
import type { Detectors } from '../../core/anomaly/detectors.ts';
import { limitAlerts, NOTHING_TOLD } from '../../core/anomaly/limit-alerts.ts';
import type { Observation } from '../../core/anomaly/observation.ts';
import { Faults, openStates, type States } from '../../core/anomaly/profiles.ts';
import { inherit, successionOf } from '../../core/anomaly/succession.ts';
import { cpuTime } from './cpu-time.ts';
import type { Attack, Months } from './months.ts';

/** Every detector, with the states of one workspace and its actors, as a run of the watch has them. */
export class Watchman {
  readonly #detectors: Detectors;
  readonly #thresholds: ReadonlyMap<string, unknown>;
  readonly #workspace: States;
  readonly #actors = new Map<string, States>();

  constructor(detectors: Detectors) {
    this.#detectors = detectors;
    this.#thresholds = new Map([...detectors].map(([name, { thresholds }]) => [name, thresholds.parse({})]));
    this.#workspace = this.#first('workspace');
  }

  observe(row: Observation): readonly Sighting[] {
    let found = this.#look(this.#workspace, row, NONE);
    if (row.actor.type === 'api_key' || row.actor.type === 'user')
      found = this.#look(this.#actor(actorName(row.actor)), row, found);
    const succession = successionOf(row);
    if (succession !== undefined)
      inherit(this.#detectors, this.#actor(succession.from), this.#actor(succession.to));
    return found;
  }

  /** The largest size of what is stored of one actor, in characters of JSON. */
  largestActor(): number {
    const lengths = [...this.#actors.values()].map(
      (states) => JSON.stringify(Object.fromEntries(states)).length,
    );
    return Math.max(0, ...lengths);
  }

  #actor(name: string): States {
    const known = this.#actors.get(name);
    if (known !== undefined) return known;
    const states = this.#first('actor');
    this.#actors.set(name, states);
    return states;
  }

  #first(scope: 'actor' | 'workspace'): States {
    return openStates(this.#detectors, scope, {}, new Faults());
  }

  #look(states: States, row: Observation, before: readonly Sighting[]): readonly Sighting[] {
    let found = before;
    for (const [name, state] of states) {
      const sightings = this.#detectors.get(name)?.observe(state, row, this.#thresholds.get(name));
      if (sightings !== undefined) found = joined(found, sightings);
    }
    return found;
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

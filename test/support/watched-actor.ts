import { type Detector, NOTHING, type Sighting } from '../../core/anomaly/detector.ts';
import type { Observation } from '../../core/anomaly/observation.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A Monday, 09:00 UTC. */
export const MONDAY = Date.parse('2026-03-02T09:00:00.000Z');

export const USER = { type: 'user', id: 'usr_ada' } as const;
export const KEY = { type: 'api_key', id: 'key_ci' } as const;

/** A detector, its state and what it was shown: rows are numbered as they come. */
export class Watch<State, Thresholds> {
  readonly #detector: Detector<State, Thresholds>;
  readonly #thresholds: Thresholds;
  state: State;
  #rows = 0;

  constructor(detector: Detector<State, Thresholds>, thresholds: { readonly [name: string]: number } = {}) {
    this.#detector = detector;
    this.#thresholds = detector.thresholds.parse(thresholds);
    this.state = detector.initial();
  }

  /** Shows one row; by default the person opens a secret. */
  see(at: number, row: Partial<Omit<Observation, 'id' | 'at'>> = {}): readonly Sighting[] {
    this.#rows += 1;
    const observation: Observation = {
      actor: USER,
      action: 'secret.revealed',
      result: 'success',
      entity: { type: 'secret', id: 'sec_1' },
      ip: '203.0.113.7',
      detail: {},
      ...row,
      id: `0-${this.#rows}`,
      at,
    };
    return this.#detector.observe(this.state, observation, this.#thresholds);
  }

  /** Bytes of the state as it is stored; checked as it is when it is read. */
  bytes(): number {
    const json = JSON.stringify(this.state);
    this.#detector.state.parse(JSON.parse(json));
    return Buffer.byteLength(json);
  }
}

/** What a detector that found one thing has to say. */
export function only(sightings: readonly Sighting[]): Sighting {
  const [sighting, ...others] = sightings;
  if (sighting === undefined || others.length > 0)
    throw new Error(`There were ${sightings.length} findings.`);
  return sighting;
}

/** Whether nothing was found: in the one array that says so, since no other may be made for each row. */
export function isNothing(sightings: readonly Sighting[]): boolean {
  return sightings === NOTHING;
}

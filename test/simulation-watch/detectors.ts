import * as z from 'zod';
import { type Detector, NOTHING, type Sighting } from '../../core/anomaly/detector.ts';
import type { Detectors } from '../../core/anomaly/detectors.ts';
import type { Observation } from '../../core/anomaly/observation.ts';

/** Every so many rows, a counter finds that it has seen so many. */
export const STEP = 10;

const countSchema = z.strictObject({ rows: z.array(z.string()) });
type Count = z.infer<typeof countSchema>;

/**
 * Remembers each row that it is shown, and has something to say of those that are marked, and of every tenth: which one
 * that is depends on all that came before.
 */
function counter(scope: 'actor' | 'workspace'): Detector<Count, Record<string, never>> {
  return {
    scope,
    state: countSchema,
    thresholds: z.strictObject({}),
    initial: () => ({ rows: [] }),
    observe(state, row) {
      state.rows.push(row.id);
      const name = scope === 'actor' ? row.actor.id : 'all';
      const marked = row.detail['marked'];
      const subjects = [
        ...(marked === undefined ? [] : [`${name}: ${marked}`]),
        ...(state.rows.length % STEP === 0 ? [`${name}: ${state.rows.length} rows`] : []),
      ];
      return subjects.length === 0 ? NOTHING : subjects.map((subject) => sighting(scope, subject, row));
    },
  };
}

function sighting(scope: 'actor' | 'workspace', subject: string, row: Observation): Sighting {
  const kind = scope === 'actor' ? 'volume_anomaly' : 'reconnaissance';
  return { tier: 'warning', kind, subject, seen: 'this', usual: 'that', rows: [row.id], detail: {} };
}

export const SIMULATED_DETECTORS: Detectors = new Map<string, Detector<unknown, unknown>>([
  ['perActor', counter('actor')],
  ['overall', counter('workspace')],
]);

import * as z from 'zod';
import { DAY_MS } from '../../kernel/timestamps.ts';
import { type Detector, NOTHING, type Sighting } from '../detector.ts';
import type { Observation } from '../observation.ts';

const thresholdsSchema = z.strictObject({
  /** A key that is first used so many days after it was made was forgotten, or kept for later. */
  days: z.int().min(7).max(3_650).default(90),
});

export type UnusedKeyThresholds = z.infer<typeof thresholdsSchema>;

/** Keys that were never used are few. Beyond so many, the newest are not watched until others are used or revoked. */
const MAX_KEYS = 500;

const stateSchema = z.strictObject({
  /** The keys that were made and never used, and when: epoch milliseconds. */
  madeAt: z.record(z.string().max(64), z.int().min(0)),
  count: z.int().min(0).max(MAX_KEYS),
});

export type UnusedKeyState = z.infer<typeof stateSchema>;

/**
 * An API key is used for the first time, long after it was made. Only keys that were made under watch are known: the
 * others have no age here.
 */
export const unusedKey: Detector<UnusedKeyState, UnusedKeyThresholds> = {
  scope: 'workspace',
  state: stateSchema,
  thresholds: thresholdsSchema,
  initial: () => ({ madeAt: {}, count: 0 }),

  observe(state, row, { days }) {
    if (row.result === 'success') followKeys(state, row);
    if (state.count === 0 || row.actor.type !== 'api_key') return NOTHING;
    const madeAt = state.madeAt[row.actor.id];
    if (madeAt === undefined) return NOTHING;
    forget(state, row.actor.id);
    const age = Math.floor((row.at - madeAt) / DAY_MS);
    return age < days ? NOTHING : [sighting(row, age, days)];
  },
};

function followKeys(state: UnusedKeyState, { action, entity, detail, at }: Observation): void {
  switch (action) {
    case 'api_key.created':
      if (detail['replayed'] === undefined) remember(state, entity.id, at);
      return;
    case 'api_key.rotated':
      // The old key goes on for a while, but nobody who waits for its use can tell it from what it was.
      forget(state, entity.id);
      if (detail['successor'] !== undefined) remember(state, detail['successor'], at);
      return;
    case 'api_key.revoked':
      forget(state, entity.id);
  }
}

function remember(state: UnusedKeyState, id: string, at: number): void {
  if (state.count === MAX_KEYS || state.madeAt[id] !== undefined) return;
  state.madeAt[id] = at;
  state.count += 1;
}

function forget(state: UnusedKeyState, id: string): void {
  if (state.madeAt[id] === undefined) return;
  delete state.madeAt[id];
  state.count -= 1;
}

function sighting({ actor, id, action, ip }: Observation, age: number, days: number): Sighting {
  return {
    tier: 'warning',
    kind: 'dormant_key_used',
    subject: `api_key ${actor.id}`,
    seen: `The key was used for the first time, from ${ip} (${action}), ${age} days after it was made.`,
    usual: `A key that is not used for ${days} days is taken for forgotten.`,
    rows: [id],
    detail: { ageDays: String(age), ip },
  };
}

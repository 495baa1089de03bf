import * as z from 'zod';
import { DAY_MS } from '../../kernel/timestamps.ts';
import { type Detector, NOTHING } from '../detector.ts';

const thresholdsSchema = z.strictObject({
  /** After so many days without a use, a key is dormant. What is known of a key is kept for three years. */
  days: z.int().min(7).max(1_000).default(90),
});

export type DormantKeyThresholds = z.infer<typeof thresholdsSchema>;

const stateSchema = z.strictObject({
  /** Epoch milliseconds of the newest use; 0 before the first. */
  lastUsedAt: z.int().min(0),
});

export type DormantKeyState = z.infer<typeof stateSchema>;

/**
 * An API key is used that was not used for long. `docs/detection/dormant-key.md` has the rule, and `unused-key.ts` that
 * for keys which were never used.
 */
export const dormantKey: Detector<DormantKeyState, DormantKeyThresholds> = {
  scope: 'actor',
  state: stateSchema,
  thresholds: thresholdsSchema,
  // Whoever rotates a key has not forgotten it; `unused-key.ts` waits for the first use of its successor.
  startsAnew: true,
  initial: () => ({ lastUsedAt: 0 }),

  observe(state, { actor, at, id, action, ip }, { days }) {
    if (actor.type !== 'api_key') return NOTHING;
    const { lastUsedAt } = state;
    if (at > lastUsedAt) state.lastUsedAt = at;
    const quietDays = Math.floor((at - lastUsedAt) / DAY_MS);
    if (lastUsedAt === 0 || quietDays < days) return NOTHING;
    return [
      {
        tier: 'warning',
        kind: 'dormant_key_used',
        subject: `api_key ${actor.id}`,
        seen: `The key was used from ${ip} (${action}) after ${quietDays} days without any use.`,
        usual: `A key that is not used for ${days} days is taken for forgotten.`,
        rows: [id],
        detail: { quietDays: String(quietDays), ip },
      },
    ];
  },
};

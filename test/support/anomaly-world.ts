import * as z from 'zod';
import { raiseAlert } from '../../core/alerts/raise-alert.ts';
import type { AnomalyParts } from '../../core/anomaly/detect-workspace.ts';
import { type Detected, detectWorkspace } from '../../core/anomaly/detect-workspace.ts';
import { type Detector, NOTHING, type Sighting } from '../../core/anomaly/detector.ts';
import type { Detectors } from '../../core/anomaly/detectors.ts';
import type { Observation } from '../../core/anomaly/observation.ts';
import { type Action, type Actor, type AuditEvent, PRINCIPAL_LANE } from '../../core/audit/event.ts';
import { strangerOrigin } from '../../core/audit/lane-start.ts';
import { createAuditTrail } from '../../core/audit/trail.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { FakeClock } from './clock.ts';
import { MemoryAnomalyStates } from './memory-anomaly-states.ts';
import { MemoryTables } from './memory-ledger.ts';
import { SeededRandom } from './random.ts';

export const WORKSPACE = `ws_${'5'.repeat(32)}`;
export const KEY: Actor = { type: 'api_key', id: `key_${'1'.repeat(32)}` };
export const OTHER_KEY: Actor = { type: 'api_key', id: `key_${'2'.repeat(32)}` };

/** What a counter has seen: the rows that were shown to it, in their order. */
export const countSchema = z.strictObject({ rows: z.array(z.string()) });
export type Count = z.infer<typeof countSchema>;

const counterThresholds = z.strictObject({ step: z.int().min(1).max(1_000).default(1_000) });

/** Counts rows, finds every `step`th remarkable, and those that say so themselves, as `{remarkable: <subject>}`. */
export function counter(scope: 'actor' | 'workspace'): Detector<Count, z.infer<typeof counterThresholds>> {
  return {
    scope,
    state: countSchema,
    thresholds: counterThresholds,
    initial: () => ({ rows: [] }),
    observe(state, row, { step }) {
      state.rows.push(row.id);
      const subject = row.detail['remarkable'];
      if (subject !== undefined) return [sighting(scope, subject, row)];
      return state.rows.length % step === 0 ? [sighting(scope, `${state.rows.length} rows`, row)] : NOTHING;
    },
  };
}

function sighting(scope: 'actor' | 'workspace', subject: string, row: Observation): Sighting {
  const kind = scope === 'actor' ? 'volume_anomaly' : 'brute_force';
  return { tier: 'warning', kind, subject, seen: 'much', usual: 'little', rows: [row.id], detail: {} };
}

export const COUNTERS: Detectors = new Map<string, Detector<unknown, unknown>>([
  ['perActor', counter('actor')],
  ['overall', counter('workspace')],
]);

/** All that the anomaly detector works with, in memory, and a trail that writes rows for it. */
export class AnomalyWorld {
  readonly tables = new MemoryTables();
  readonly clock = new FakeClock(Date.parse('2026-03-02T09:00:00.000Z'));
  readonly random = new SeededRandom(1);
  readonly states = new MemoryAnomalyStates(this.tables);
  readonly trail = createAuditTrail({ ledger: this.tables.ledger, clock: this.clock, random: this.random });
  /** What was recorded, in order, with each repetition. */
  readonly recorded: Alert[] = [];
  /** What the job told of itself. */
  readonly told: Alert[] = [];
  detectors = COUNTERS;

  get parts(): AnomalyParts {
    const { tables, clock, random, states, trail, detectors } = this;
    const { ledger, store } = tables;
    return {
      ledger,
      store,
      states,
      clock,
      random,
      detectors,
      locations: { of: () => undefined },
      record: async (alert) => {
        this.recorded.push(alert);
        await raiseAlert({ store, trail, clock }, alert, 'anomaly');
      },
      alerts: { raise: async (alert) => void this.told.push(alert) },
    };
  }

  /** Something happens, a second later. */
  async happen(
    actor: Actor = KEY,
    {
      action = 'secret.revealed',
      entity = { type: 'secret', id: 'sec_1' },
      detail = {},
      result = 'success',
    }: Partial<AuditEvent> = {},
  ): Promise<void> {
    this.clock.advance(1_000);
    const origin = {
      workspaceId: WORKSPACE,
      lane: PRINCIPAL_LANE,
      actor,
      ip: '198.51.100.7',
      userAgent: 'curl',
    };
    await this.trail.commit(origin, [{ action, entity, result, detail }]);
  }

  /** Somebody without credentials tries something, a second later. */
  async knock(action: Action = 'authentication.failed'): Promise<void> {
    this.clock.advance(1_000);
    const entity = { type: 'workspace', id: WORKSPACE };
    await this.trail.commit(strangerOrigin(WORKSPACE, '203.0.113.9', 'nmap'), [
      { action, entity, result: 'denied' },
    ]);
  }

  detect(limit?: number): Promise<Detected> {
    return detectWorkspace(this.parts, WORKSPACE, limit);
  }

  /** The rows that a counter has seen: of an actor, or of the workspace. */
  seen(actor?: Actor): readonly string[] {
    const text =
      actor === undefined
        ? this.states.workspaces.get(WORKSPACE)?.state
        : this.states.actors.get(`${WORKSPACE}#${actor.type}#${actor.id}`)?.state;
    if (text === undefined) return [];
    const profile = z
      .object({ states: z.object({ perActor: countSchema.optional(), overall: countSchema.optional() }) })
      .parse(JSON.parse(text));
    return (actor === undefined ? profile.states.overall : profile.states.perActor)?.rows ?? [];
  }
}

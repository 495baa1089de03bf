import type { AuditTrail } from '../audit/trail.ts';
import type { KeyService } from '../crypto/key-service.ts';
import type { Alerts } from '../detection/alert.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { DeploymentKeys } from './wrapping-key.ts';

/** What moves values from key to key works with. It can neither decrypt nor make data keys: no plaintext comes near it. */
export interface MigrationParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly keys: Pick<KeyService, 'reEncrypt'>;
  readonly clock: Clock;
  readonly alerts: Alerts;
  readonly deploymentKeys: DeploymentKeys;
}

/** The job, as the trail names it. */
export const REWRAPPER = 'rewrapper';

/**
 * How a migration stands after a run: `moving`, there is more to do at once; `waiting`, there is, but not yet, or somebody
 * else is at it; `blocked`, waiting because of values that cannot be moved; `done`, there is nothing to do any more.
 */
export type MigrationStatus = 'moving' | 'waiting' | 'blocked' | 'done';

export interface MigrationOutcome {
  readonly status: MigrationStatus;
  /** Values moved by this run. */
  readonly moved: number;
}

/** What a run over all open migrations did. */
export interface MigrationSummary {
  /** Migrations that are not done after it. */
  readonly open: number;
  /** Those of them that wait because of values that cannot be moved. */
  readonly blocked: number;
  /** Those that it brought to their end. */
  readonly done: number;
  /** Values moved. */
  readonly moved: number;
  /** What kept it from a workspace (`_platform`: also from the deployment's keys), and not from the rest. */
  readonly failures: readonly { readonly workspaceId: string; readonly error: unknown }[];
}

/**
 * No migration ends with a pass that began earlier than this after its start: what was under way under the former key is
 * written by then (API Gateway gives up after 29 seconds), and lists, which lag behind, show it.
 */
export const DRAIN_MS = 5 * 60_000;

/** After this, a list shows what was changed. */
export const LIST_LAG_MS = 60_000;

/** A pass that met values which cannot be moved is repeated after this. */
export const BLOCKED_PAUSE_MS = 15 * 60_000;

/** After this, the functions of a deployment have the settings that one of them was seen with: its stacks get them one by one. */
export const ROLLOUT_MS = 60 * 60_000;

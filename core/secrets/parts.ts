import type { AuditTrail } from '../audit/trail.ts';
import type { KeyService } from '../crypto/key-service.ts';
import type { Alerts } from '../detection/alert.ts';
import type { DeploymentKeys } from '../encryption-keys/wrapping-key.ts';
import type { IdempotencyParts } from '../idempotency/once.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import type { PlanName } from '../plans/plan.ts';
import type { SecretCountParts } from '../plans/plan-counts.ts';

/** For use cases that read metadata or change it. */
export interface SecretParts {
  readonly store: Store;
  readonly trail: AuditTrail;
  readonly clock: Clock;
}

/** For use cases that open or seal values. */
export interface ValueParts extends SecretParts {
  readonly keys: KeyService;
  readonly deploymentKeys: DeploymentKeys;
  /** Where it is told that a decoy was opened. */
  readonly alerts: Alerts;
  readonly random: Random;
}

export type CreatingParts = ValueParts &
  IdempotencyParts &
  SecretCountParts & {
    /** The plan of workspaces that were assigned none. */
    readonly defaultPlan: PlanName;
  };

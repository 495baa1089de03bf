import type { Store } from '../kernel/store.ts';
import type { PlanName } from '../plans/plan.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { CustomerKeys } from './customer-keys.ts';
import type { KeyMigration } from './key-migration.ts';
import type { ProofParts } from './proof.ts';
import type { DeploymentKeys } from './wrapping-key.ts';

/** What managing a workspace's key takes. */
export interface EncryptionKeyParts extends ProofParts {
  readonly store: Store;
  readonly deploymentKeys: DeploymentKeys;
  readonly customerKeys: CustomerKeys;
  readonly defaultPlan: PlanName;
}

/** How a workspace stands with its key. */
export interface EncryptionKeyStatus {
  readonly workspace: Workspace;
  /** The last one, whatever became of it. */
  readonly migration: KeyMigration | undefined;
  /** Whether the key wraps and opens at this moment; `null` where nobody asked, or the key service did not answer. */
  readonly usable: boolean | null;
}

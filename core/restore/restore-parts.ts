import type { BackupFiles } from '../backup/backup-files.ts';
import type { KeyService } from '../crypto/key-service.ts';
import type { Alert } from '../detection/alert.ts';
import type { DeploymentKeys } from '../encryption-keys/wrapping-key.ts';
import type { Store } from '../kernel/store.ts';
import type { SealParts } from '../seal/parts.ts';
import type { DeliveryLog } from '../siem/delivery-log.ts';
import type { VerificationParts } from '../verification/verification-parts.ts';
import type { RestoreTables, TableSettings } from './restore-tables.ts';

/** What a restore works with. */
export interface RestoreParts extends SealParts, VerificationParts {
  readonly files: Pick<BackupFiles, 'lines'>;
  readonly tables: RestoreTables;
  readonly settings: TableSettings;
  readonly store: Store;
  readonly deliveries: Pick<DeliveryLog, 'read' | 'replace'>;
  readonly keys: KeyService;
  /** What it may open: no customer lets it use the key that a workspace brought. */
  readonly deploymentKeys: Pick<DeploymentKeys, 'values' | 'allOwn'>;
  /** Matches no password; see `PasswordHasher`. */
  readonly dummyHash: string;
}

/** Who restores, as the trail names it. */
export const RESTORER = 'restore';

/** Keeps alerts in mind instead of recording them: a row that came too early would stand in the place of a sealed one. */
export class HeldAlerts {
  readonly held: Alert[] = [];

  async raise(alert: Alert): Promise<void> {
    this.held.push(alert);
  }
}

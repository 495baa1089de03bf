import type { RequestContext } from '../../core/access/principal.ts';
import type { EncryptionContext } from '../../core/crypto/key-service.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import {
  type DayReconciled,
  type ReconciliationParts,
  reconcileDeployment,
} from '../../core/reconciliation/reconcile-deployment.ts';
import { reconciliationStateSchema } from '../../core/reconciliation/reconciliation-state.ts';
import { createSecret } from '../../core/secrets/create-secret.ts';
import { CallLog, VAULT_ROLES } from './call-log.ts';
import { MemoryJobState } from './memory-job-state.ts';
import { installedVault, type MemoryVault, rowsOf } from './memory-vault.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A vault whose key service keeps a log, and all that is needed to reconcile the two. Begins at noon. */
export async function reconciliationWorld() {
  const { vault, owner } = await installedVault();
  vault.clock.advance(12 * HOUR);
  const log = new CallLog(vault.clock);
  const alerts: Alert[] = [];
  vault.keys.log = (context) => log.deliver([log.recordOf(context)]);
  vault.keys.logReEncrypt = ({ to }, context) => log.deliver([log.moveOf(to, context)]);
  const parts: ReconciliationParts = {
    ...vault,
    keyCalls: log,
    roles: VAULT_ROLES,
    states: new MemoryJobState(vault.tables, reconciliationStateSchema),
    alerts: { raise: async (alert) => void alerts.push(alert) },
  };
  return new ReconciliationWorld(vault, owner, log, alerts, parts);
}

export class ReconciliationWorld {
  readonly vault: MemoryVault;
  readonly owner: RequestContext;
  readonly log: CallLog;
  /** What was raised, in order. */
  readonly alerts: Alert[];
  readonly parts: ReconciliationParts;
  #names = 0;

  constructor(
    vault: MemoryVault,
    owner: RequestContext,
    log: CallLog,
    alerts: Alert[],
    parts: ReconciliationParts,
  ) {
    this.vault = vault;
    this.owner = owner;
    this.log = log;
    this.alerts = alerts;
    this.parts = parts;
  }

  get workspaceId(): string {
    return this.owner.principal.workspaceId;
  }

  async secret(value = 'value'): Promise<string> {
    this.#names += 1;
    const secret = { namespace: 'prod', name: `secret-${this.#names}`, value };
    return (await createSecret(this.vault, this.owner, secret)).id;
  }

  contextOf(secretId: string, version = 1): EncryptionContext {
    return { secretId, version: String(version), workspaceId: this.workspaceId };
  }

  /** Somebody decrypts past the vault, by the vault's own role unless said otherwise. */
  decryptPastTheVault(context: EncryptionContext, other: Parameters<CallLog['recordOf']>[1] = {}): string {
    const record = this.log.recordOf(context, other);
    this.log.deliver([record]);
    return record.eventId;
  }

  /** Somebody moves a value to another key, by a role of the vault unless said otherwise. */
  moveByHand(
    keyArn: string,
    context: EncryptionContext,
    other: Parameters<CallLog['recordOf']>[1] = {},
  ): string {
    const record = this.log.moveOf(keyArn, context, other);
    this.log.deliver([record]);
    return record.eventId;
  }

  /** Goes on to 03:30 of the next day and runs the job. */
  async nextMorning(): Promise<DayReconciled[]> {
    const { clock } = this.vault;
    clock.advance(Math.floor(clock.now() / DAY) * DAY + DAY + 3.5 * HOUR - clock.now());
    return this.run();
  }

  async run(): Promise<DayReconciled[]> {
    const results: DayReconciled[] = [];
    for await (const result of reconcileDeployment(this.parts, () => true)) results.push(result);
    return results;
  }

  /** The events of the job: day, result and detail. */
  events() {
    return rowsOf(this.vault, PLATFORM_WORKSPACE)
      .filter(({ action }) => action === 'key.decrypts_reconciled')
      .map(({ entity, result, detail }) => ({ day: entity.id, result, ...detail }));
  }
}

import type { RequestContext } from '../../core/access/principal.ts';
import { type ArchiveParts, archiveWorkspace } from '../../core/archive/archive-workspace.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { sealDeployment } from '../../core/seal/seal-deployment.ts';
import type { VerificationParts } from '../../core/verification/verification-parts.ts';
import type { Findings, VerificationKind } from '../../core/verification/verification-state.ts';
import { type VerificationResult, verifyDue } from '../../core/verification/verify-due.ts';
import { verifyOnOrder } from '../../core/verification/verify-on-order.ts';
import { installedVault, type MemoryVault } from './memory-vault.ts';
import { Tamperer } from './tamper.ts';

const HOUR_MS = 60 * 60 * 1000;

/** A deployment over memory ports that is sealed, archived and verified. */
export class VerificationWorld {
  readonly vault: MemoryVault;
  readonly tamperer: Tamperer;
  readonly alerts: Alert[] = [];
  readonly parts: VerificationParts;

  constructor(vault: MemoryVault) {
    this.vault = vault;
    this.tamperer = new Tamperer(vault.tables);
    this.parts = {
      ...vault,
      alerts: { raise: async (alert) => void this.alerts.push(alert) },
    };
  }

  get archiveParts(): ArchiveParts {
    const { alerts } = this.parts;
    return { ...this.vault, ...this.vault.log, minRetentionDays: 2_557, alerts };
  }

  async seal(): Promise<void> {
    const parts = { ...this.archiveParts, ...this.vault.log, staging: this.vault.log.archive.staging };
    for await (const { error } of sealDeployment(parts, { force: true })) {
      if (error !== undefined) throw error;
    }
  }

  /** Seals, and goes on to 04:00 of the next day, when yesterday is archived. */
  async nextDay(): Promise<void> {
    await this.seal();
    const midnight = Math.floor(this.vault.clock.now() / DAY_MS) * DAY_MS + DAY_MS;
    this.vault.clock.advance(midnight + 4 * HOUR_MS - this.vault.clock.now());
    for (const workspaceId of this.workspaces()) await archiveWorkspace(this.archiveParts, workspaceId);
  }

  workspaces(): string[] {
    return [...new Set([...this.vault.tables.rows.values()].map((row) => row.workspaceId))];
  }

  /** Runs the job until nothing is left to do. */
  async job(slice?: number, parts: Partial<VerificationParts> = {}): Promise<VerificationResult[]> {
    const results: VerificationResult[] = [];
    const limits = { mayGoOn: () => true, ...(slice === undefined ? {} : { slice }) };
    for await (const result of verifyDue({ ...this.parts, ...parts }, limits)) results.push(result);
    return results;
  }

  /** One verification of a workspace to its end. */
  async verify(workspaceId: string, kind: VerificationKind, slice = 3): Promise<Findings> {
    const result = await verifyOnOrder(this.parts, workspaceId, kind, { mayGoOn: () => true, slice });
    if (result?.findings === undefined) throw result?.error ?? new Error('The verification did not end.');
    return result.findings;
  }
}

/** A deployment with its first workspace. */
export async function verificationWorld(): Promise<{
  readonly world: VerificationWorld;
  readonly vault: MemoryVault;
  readonly owner: RequestContext;
  readonly workspaceId: string;
}> {
  const { vault, owner } = await installedVault();
  return { world: new VerificationWorld(vault), vault, owner, workspaceId: owner.principal.workspaceId };
}

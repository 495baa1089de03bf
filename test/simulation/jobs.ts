import { sweepTallies } from '../../core/identity/sweep-tallies.ts';
import { purgeExpired } from '../../core/secrets/purge-expired.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { verifyDeployment, type WorkspaceResult } from '../support/verify-deployment.ts';

/** The scheduled jobs, as their functions run them. */
export const jobs = {
  sweepTallies: { name: 'sweep tallies', run: sweepTallies },
  purgeExpired: { name: 'purge expired', run: purgeExpired },
  verify: { name: 'verify', run: verifyAll },
} as const;

export interface Job {
  readonly name: string;
  readonly run: (vault: Vault) => Promise<unknown>;
}

async function verifyAll(vault: Vault): Promise<readonly WorkspaceResult[]> {
  const results: WorkspaceResult[] = [];
  for await (const result of verifyDeployment(vault)) results.push(result);
  return results;
}

/** The outcome of a run of {@link jobs.verify}; empty for other jobs and for runs that failed. */
export function verifications({ result }: { readonly result?: unknown }): readonly WorkspaceResult[] {
  return Array.isArray(result) ? (result as WorkspaceResult[]) : [];
}

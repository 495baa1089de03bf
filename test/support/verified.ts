import type { Verification } from '../../core/audit/verify-workspace.ts';
import { verifyDeployment } from './verify-deployment.ts';

type Parts = Parameters<typeof verifyDeployment>[0];

/** Verifies a deployment to its end; fails where a workspace could not be verified at all. */
export async function verified(
  parts: Parts,
): Promise<readonly (Verification & { readonly workspaceId: string })[]> {
  const results: (Verification & { readonly workspaceId: string })[] = [];
  for await (const { workspaceId, verification, error } of verifyDeployment(parts)) {
    if (verification === undefined) throw error;
    results.push({ workspaceId, ...verification });
  }
  return results;
}

/** The workspaces of a deployment that do not verify, with their breaks. */
export async function brokenWorkspaces(parts: Parts): Promise<Record<string, Verification['breaks']>> {
  const results = await verified(parts);
  return Object.fromEntries(
    results.flatMap(({ ok, workspaceId, breaks }) => (ok ? [] : [[workspaceId, breaks]])),
  );
}

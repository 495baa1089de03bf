import { checkArchive } from './check-archive.ts';
import { checkLog } from './check-log.ts';
import { checkRows } from './check-rows.ts';
import type { Remains } from './evidence.ts';

/**
 * Whether a history kept the promises of the audit trail, judged with nothing of the vault's own code: what lies in the
 * table and in the archive is parsed, hashed and verified here anew. Gives a sentence for each promise that was broken.
 */
export async function check(remains: Remains): Promise<string[]> {
  const { evidence } = remains;
  const violations = [...evidence.complaints];
  for (const { alert, isExcused } of evidence.alerts) {
    if (alert.tier === 'critical' && !isExcused)
      violations.push(`alert: ${alert.kind} of ${alert.subject} ${JSON.stringify(alert.detail)}`);
  }
  violations.push(...checkRows(remains));
  for (const workspaceId of new Set(evidence.rows.map((row) => row.workspaceId))) {
    try {
      const entries = await checkLog(remains, workspaceId);
      checkArchive(remains, workspaceId, entries);
    } catch (error) {
      violations.push(`${workspaceId}: ${String(error)}`);
    }
  }
  return violations;
}

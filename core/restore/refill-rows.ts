import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { unavailable } from '../kernel/errors.ts';
import { recoverSealedRows } from '../seal/recover-sealed-rows.ts';
import { explainedFloor } from '../verification/explain-entity.ts';
import { everyWorkspace } from '../workspaces/every-workspace.ts';
import { replaced } from './load-backup.ts';
import { readLaneEnds } from './newest-changes.ts';
import { HeldAlerts, RESTORER, type RestoreParts } from './restore-parts.ts';
import { RestoreRefused } from './restore-refused.ts';
import type { RefilledRows, RestoredWorkspace } from './restore-tables.ts';

/** Where the logs of all workspaces lie in the archive. */
const LOG_PREFIX = 'log/';

/** A row that is recorded before all rows are back would stand in the place of one of them. */
const UNRECORDED: AuditTrail = { commit: async () => [] };

/** A store in which no retention floor is found: all rows of the log are put back. */
const NO_FLOOR = { get: async () => undefined };

/** Every workspace that there is anything of: in the backup's rows, among its entities, or in the archive. */
export async function findWorkspaces({
  tables,
  store,
  archive,
}: Pick<RestoreParts, 'tables' | 'store' | 'archive'>): Promise<ReadonlySet<string>> {
  const found = new Set(await tables.workspaces());
  for await (const workspaceId of everyWorkspace(store)) found.add(workspaceId);
  for await (const workspaceId of loggedWorkspaces(archive)) found.add(workspaceId);
  return found;
}

/** The workspaces that have a log, at the cost of one listing for each. */
export async function* loggedWorkspaces(archive: RestoreParts['archive']): AsyncGenerator<string> {
  let after: string | undefined;
  for (;;) {
    let first: string | undefined;
    for await (const [key] of archive.list(LOG_PREFIX, after)) {
      first = key;
      break;
    }
    const workspaceId = first?.slice(LOG_PREFIX.length).split('/')[0];
    if (workspaceId === undefined) return;
    yield workspaceId;
    // The character behind the slash: keys of the next workspace come after this.
    after = `${LOG_PREFIX}${workspaceId}0`;
  }
}

/**
 * Puts back the rows of a workspace that its published log has and the backup lacks, notes where its lanes end then, and
 * records `audit.restored`. In this order: whatever is recorded takes the next number of a lane.
 *
 * @throws RestoreRefused `log_refused`; VaultError `unavailable`.
 */
export async function refillRows(parts: RestoreParts, workspaceId: string): Promise<RefilledRows> {
  const { tables, trail } = parts;
  let noted = (await tables.readWorkspace(workspaceId)) ?? { version: 0, workspaceId };
  if (noted.rows === undefined) {
    const recovered = await recover(parts, workspaceId);
    const ends = await readLaneEnds(parts.ledger, workspaceId);
    // Crash: nothing was written since but sealed rows, so that the next run finds the same ends.
    const rows = { ...recovered, ...(await sealedRows(parts, workspaceId)), ends, isRecorded: false };
    noted = await note(parts, { ...noted, rows });
  }
  const { rows } = noted;
  if (rows === undefined) throw unavailable('What is noted of a workspace is gone.');
  if (!rows.isRecorded) {
    if (rows.toSize > 0)
      await trail.commit(systemOrigin(workspaceId, RESTORER), [restored(workspaceId, rows)]);
    // Crash: the next run records it once more.
    await note(parts, { ...noted, rows: { ...rows, isRecorded: true } });
  }
  return rows;
}

async function note({ tables }: RestoreParts, next: RestoredWorkspace): Promise<RestoredWorkspace> {
  const noted = { ...next, version: next.version + 1 };
  await replaced(tables.replaceWorkspace(noted));
  return noted;
}

/** How far the signed head covers the rows, which are all there now. */
async function sealedRows(
  { seals }: Pick<RestoreParts, 'seals'>,
  workspaceId: string,
): Promise<Pick<RefilledRows, 'sealed' | 'sealedUntil'>> {
  const lanes = Object.entries((await seals.read(workspaceId))?.lanes ?? {});
  return {
    sealed: Object.fromEntries(lanes.map(([lane, { seq }]) => [lane, seq])),
    sealedUntil: Math.max(0, ...lanes.map(([, { ts }]) => Date.parse(ts))),
  };
}

async function recover(
  parts: RestoreParts,
  workspaceId: string,
): Promise<{ fromSize: number; toSize: number; refilled: number }> {
  const alerts = new HeldAlerts();
  // A floor that no row explains may be there to keep rows away.
  const isFloorTold = (await explainedFloor(parts, workspaceId)) !== undefined;
  const store = isFloorTold ? parts.store : NO_FLOOR;
  const recovery = await recoverSealedRows({ ...parts, store, alerts, trail: UNRECORDED }, workspaceId);
  switch (recovery.status) {
    case 'recovered': {
      const { fromSize, toSize, rows } = recovery;
      return { fromSize, toSize, refilled: rows };
    }
    case 'unsealed':
      return { fromSize: 0, toSize: 0, refilled: 0 };
    case 'interrupted':
      throw unavailable('The recovery of rows stopped though it had time.');
    case 'refused': {
      const [alert] = alerts.held;
      const { subject = recovery.reason, detail: { explanation = '' } = {} } = alert ?? {};
      throw new RestoreRefused(
        'log_refused',
        `The rows of ${workspaceId} do not fit its log (${recovery.reason}, ${subject}). ${explanation} docs/RUNBOOK.md has a section on each.`,
      );
    }
  }
}

function restored(
  workspaceId: string,
  { fromSize, toSize, refilled }: NonNullable<RestoredWorkspace['rows']>,
): AuditEvent {
  return {
    action: 'audit.restored',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
    detail: { fromSize: String(fromSize), toSize: String(toSize), rows: String(refilled) },
  };
}

import { BACKUP_TABLES, type BackupTable } from '../backup/layout.ts';
import type { Backup } from '../backup/read-manifest.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { unavailable } from '../kernel/errors.ts';
import type { RestoreParts } from './restore-parts.ts';
import { RestoreRefused } from './restore-refused.ts';
import type { RestoreState, Written } from './restore-tables.ts';

type Parts = Pick<RestoreParts, 'files' | 'tables' | 'clock'>;

/** Lines in one write, and writes under way at once. */
const CHUNK = 100;
const WIDTH = 8;

export interface Loaded {
  readonly state: RestoreState;
  /** By table; absent where an earlier run had loaded everything. */
  readonly tables?: Readonly<Record<BackupTable, Written>>;
}

/**
 * Fills both tables with a backup, unless an earlier run of this very restore did: rows one by one and entities in
 * batches, never over anything else. The state is written first and says that the tables are being filled; until it says
 * that they are, whoever goes on writes what is missing.
 *
 * @throws RestoreRefused `not_empty`, `begun`, `other_restore`, `different_item`; BackupFault; VaultError `unavailable`.
 */
export async function loadBackup(parts: Parts, backup: Backup, isResumed: boolean): Promise<Loaded> {
  const { tables } = parts;
  const name = BACKUP_TABLES.map((table) => backup.tables[table].exportArn).join(' ');
  const found = await tables.readState();
  if (found !== undefined) checkState(found, name, isResumed);
  else if (!(await tables.areEmpty())) throw notEmpty();
  if (found?.phase === 'loaded') return { state: found };
  const loading = found ?? (await begin(parts, name));

  const audit = await loadTable(parts, backup, 'audit', found !== undefined);
  const vault = await loadTable(parts, backup, 'vault', found !== undefined);
  for (const workspaceId of audit.workspaces) {
    if ((await tables.readWorkspace(workspaceId)) === undefined)
      await replaced(tables.replaceWorkspace({ version: 1, workspaceId }));
  }
  const state: RestoreState = { ...loading, version: loading.version + 1, phase: 'loaded' };
  await replaced(tables.replaceState(state));
  return { state, tables: { vault, audit } };
}

function checkState(found: RestoreState, backup: string, isResumed: boolean): void {
  if (found.backup !== backup) {
    throw new RestoreRefused(
      'other_restore',
      'The tables are being restored, or were, from another backup. Go on with that one, or make the tables anew.',
    );
  }
  if (isResumed) return;
  throw new RestoreRefused(
    'begun',
    'The tables are being restored, or were, from this backup already. Go on where that stopped with --resume.',
  );
}

function notEmpty(): RestoreRefused {
  return new RestoreRefused(
    'not_empty',
    'The tables of the stage are not empty. A restore fills empty tables only: save these, delete them and deploy them anew; or try the backup out in another stage, with --drill.',
  );
}

async function begin({ tables, clock }: Parts, backup: string): Promise<RestoreState> {
  const state: RestoreState = { version: 1, backup, startedAt: clock.now(), phase: 'loading' };
  await replaced(tables.replaceState(state));
  return state;
}

/** @throws VaultError `unavailable` when somebody else was quicker. */
export async function replaced(outcome: Promise<'replaced' | 'changed'>): Promise<void> {
  if ((await outcome) === 'changed')
    throw unavailable(
      'Another restore is at work on these tables. Stop one of them, and run this one again.',
    );
}

async function loadTable(
  { files, tables }: Parts,
  backup: Backup,
  table: BackupTable,
  isResumed: boolean,
): Promise<Written> {
  let total: Written = { written: 0, same: 0, expired: 0, dropped: 0, workspaces: new Set() };
  const flush = async (lines: readonly string[]): Promise<void> => {
    const chunks = Array.from({ length: Math.ceil(lines.length / CHUNK) }, (_, index) =>
      lines.slice(index * CHUNK, (index + 1) * CHUNK),
    );
    const results = await concurrently(chunks, WIDTH, (chunk) => tables.write(table, chunk, isResumed));
    for (const result of results) total = sum(total, result);
  };
  for (const file of backup.tables[table].files) {
    let lines: string[] = [];
    for await (const line of files.lines(file)) {
      lines.push(line);
      if (lines.length < CHUNK * WIDTH) continue;
      await flush(lines);
      lines = [];
    }
    await flush(lines);
  }
  return total;
}

function sum(a: Written, b: Written): Written {
  return {
    written: a.written + b.written,
    same: a.same + b.same,
    expired: a.expired + b.expired,
    dropped: a.dropped + b.dropped,
    workspaces: new Set([...a.workspaces, ...b.workspaces]),
  };
}

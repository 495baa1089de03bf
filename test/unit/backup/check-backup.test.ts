import { type BackupVerdict, checkBackup } from '../../../core/backup/check-backup.ts';
import { backupPrefix } from '../../../core/backup/layout.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { MemoryBackups } from '../../support/memory-backups.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** When the check runs. */
const NOW = Date.parse('2026-11-22T05:00:00Z');
const TONIGHT = Date.parse('2026-11-22T00:00:00Z');
const YESTERDAY = TONIGHT - DAY;

let vault: MemoryVault;
let files: MemoryBackups;
let alerts: Alert[];
beforeEach(() => {
  vault = memoryVault();
  vault.clock.advance(NOW - vault.clock.now());
  files = new MemoryBackups(vault.tables);
  alerts = [];
});

function check(): Promise<BackupVerdict> {
  alerts = [];
  return checkBackup({
    ...vault,
    files,
    tables: { vault: 'test-vault', audit: 'test-audit' },
    alerts: { raise: async (alert) => void alerts.push(alert) },
  });
}

const raised = () => alerts.map(({ tier, kind }) => `${tier} ${kind}`);
const rows = () => rowsOf(vault, PLATFORM_WORKSPACE).filter(({ action }) => action === 'backup.checked');
const put = (instant: number, items = 1) => files.putBackup(instant, { vault: items, audit: items });

describe('B2 the newest whole backup', () => {
  it('is good, and the verdict is recorded', async () => {
    put(YESTERDAY);
    files.putBackup(TONIGHT, { vault: 3, audit: 4 });
    expect(await check()).toEqual({
      status: 'good',
      newest: { instant: TONIGHT, ageSeconds: 5 * 3600, items: { vault: 3, audit: 4 } },
      findings: [],
    });
    expect(raised()).toEqual([]);
    expect(rows()).toMatchObject([
      {
        actor: { type: 'system', id: 'backup-check' },
        entity: { type: 'backup', id: '2026-11-22T00-00-00Z' },
        result: 'success',
        detail: { status: 'good', ageSeconds: '18000', vaultItems: '3', auditItems: '4', findings: '0' },
      },
    ]);
  });

  it('may be 25 hours old, and no second older', async () => {
    put(NOW - 25 * HOUR);
    expect((await check()).status).toBe('good');
    expect(raised()).toEqual([]);
    vault.clock.advance(1);
    expect((await check()).status).toBe('stale');
    expect(raised()).toEqual(['critical backup_stale']);
    expect(alerts[0]).toMatchObject({
      workspaceId: PLATFORM_WORKSPACE,
      subject: 'backup',
      seen: 'The newest whole backup is 25 hours old.',
    });
    expect(rows().at(-1)).toMatchObject({ result: 'failure', detail: { status: 'stale' } });
  });

  it('is missed the morning after the night without one', async () => {
    put(YESTERDAY);
    expect(await check()).toMatchObject({ status: 'stale', newest: { instant: YESTERDAY } });
    expect(raised()).toEqual(['critical backup_stale']);
  });

  it('is stale where there is none at all', async () => {
    expect(await check()).toEqual({ status: 'stale', findings: [] });
    expect(raised()).toEqual(['critical backup_stale']);
    expect(rows()).toMatchObject([{ entity: { id: '-' }, result: 'failure', detail: { status: 'stale' } }]);
  });

  it('is found behind newer ones that are not whole, many of them junk', async () => {
    put(TONIGHT);
    for (let minute = 1; minute <= 50; minute += 1) files.put(`${backupPrefix(NOW - minute * 60_000)}x`, 'x');
    files.put('backups/2026-11-22/x', 'x');
    files.put('backups/☠/x', 'x');
    expect(await check()).toMatchObject({ status: 'good', newest: { instant: TONIGHT } });
  });

  it('is given up on behind more folders than anybody makes, which is an alert as well', async () => {
    put(TONIGHT);
    for (let minute = 1; minute <= 60; minute += 1) files.put(`${backupPrefix(NOW - minute * 60_000)}x`, 'x');
    expect(await check()).toMatchObject({ status: 'stale' });
    expect(raised()).toEqual(['critical backup_stale']);
  });
});

describe('a newer backup', () => {
  it('may be under way for six hours', async () => {
    put(NOW - 8 * HOUR);
    const started = NOW - 6 * HOUR + 1_000;
    files.putExport(started, 'vault', 1);
    expect(await check()).toMatchObject({ status: 'good', newest: { instant: NOW - 8 * HOUR } });
    expect(raised()).toEqual([]);
    vault.clock.advance(1_000);
    expect(await check()).toMatchObject({ status: 'suspect', newest: { instant: NOW - 8 * HOUR } });
    expect(raised()).toEqual(['warning backup_incomplete']);
    expect(alerts[0]?.seen).toContain('/audit/');
  });

  it('that is finished and spoiled is an alert at once', async () => {
    put(NOW - 8 * HOUR);
    const folder = files.putExport(NOW - HOUR, 'vault', 3);
    files.putExport(NOW - HOUR, 'audit', 3);
    files.objects.delete(`${folder}data/part1.json.gz`);
    expect(await check()).toMatchObject({ status: 'suspect', newest: { instant: NOW - 8 * HOUR } });
    expect(raised()).toEqual(['critical backup_incomplete']);
    expect(alerts[0]?.seen).toContain('part1.json.gz');
  });

  it('that is wrong and leaves only an old one makes two alerts', async () => {
    put(YESTERDAY);
    const folder = files.putExport(TONIGHT, 'vault', 3);
    files.put(`${folder}manifest-summary.json`, '{}');
    expect((await check()).status).toBe('stale');
    expect(raised()).toEqual(['critical backup_stale', 'critical backup_incomplete']);
  });

  it('whose older fellow was left with one table is good', async () => {
    files.putExport(TONIGHT - HOUR, 'vault', 1);
    put(TONIGHT);
    expect((await check()).status).toBe('good');
  });

  it('does not count when it is as of another instant than its folder says', async () => {
    put(YESTERDAY);
    for (const table of ['vault', 'audit'] as const) {
      files.putExport(TONIGHT, table, 1, { exportTime: YESTERDAY });
    }
    expect(await check()).toMatchObject({ status: 'stale', newest: { instant: YESTERDAY } });
    expect(raised()).toContain('critical backup_incomplete');
  });

  it('does not count when it is of other tables, or has them the wrong way round', async () => {
    put(NOW - 8 * HOUR);
    files.putExport(NOW - HOUR, 'vault', 1, { tableName: 'other-vault' });
    files.putExport(NOW - HOUR, 'audit', 1);
    files.putExport(NOW - 2 * HOUR, 'vault', 1, { tableName: 'test-audit' });
    files.putExport(NOW - 2 * HOUR, 'audit', 1, { tableName: 'test-vault' });
    const { newest, findings } = await check();
    expect(newest?.instant).toBe(NOW - 8 * HOUR);
    expect(findings).toHaveLength(2);
  });
});

describe('a backup dated in the future', () => {
  it('does not count, hides nothing, and is an alert', async () => {
    put(NOW + 365 * DAY);
    put(NOW + 1_000);
    put(YESTERDAY);
    expect(await check()).toMatchObject({ status: 'stale', newest: { instant: YESTERDAY } });
    expect(raised()).toEqual(['critical backup_stale', 'critical backup_incomplete']);
    put(TONIGHT);
    expect(await check()).toMatchObject({ status: 'suspect', newest: { instant: TONIGHT } });
    expect(alerts[0]?.seen).toBe(
      'The backup 2027-11-22T05-00-00Z is dated in the future: the backup job did not make it.',
    );
  });
});

describe('the number of items', () => {
  it.each(['vault', 'audit'] as const)('of %s must not be halved overnight', async (table) => {
    files.putBackup(YESTERDAY, { vault: 200, audit: 200 });
    files.putBackup(TONIGHT, { vault: 200, audit: 200, [table]: 99 });
    expect(await check()).toMatchObject({ status: 'suspect', newest: { instant: TONIGHT } });
    expect(raised()).toEqual(['critical backup_incomplete']);
    expect(alerts[0]?.seen).toBe(
      `The table ${table} has 99 items in the backup 2026-11-22T00-00-00Z, and had 200 in 2026-11-21T00-00-00Z.`,
    );
  });

  it('may shrink by half, by more when there are few, and grow as it likes', async () => {
    files.putBackup(YESTERDAY, { vault: 200, audit: 99 });
    files.putBackup(TONIGHT, { vault: 100, audit: 0 });
    expect((await check()).status).toBe('good');
    files.putBackup(TONIGHT, { vault: 2_000, audit: 99 });
    expect((await check()).status).toBe('good');
  });

  it('is compared with the last whole backup, however long ago that was', async () => {
    files.putBackup(TONIGHT - 9 * DAY, { vault: 200, audit: 200 });
    files.putExport(YESTERDAY, 'vault', 200);
    files.putBackup(TONIGHT, { vault: 200, audit: 1 });
    expect((await check()).status).toBe('suspect');
  });
});

describe('a check that cannot look', () => {
  it.each(['backups.folders', 'backups.files', 'backups.read'])('at %s fails', async (port) => {
    put(TONIGHT);
    vault.tables.faults = async ({ name }) => (name === port ? 'before' : 'none');
    await expect(check()).rejects.toMatchObject({ code: 'unavailable' });
    expect(alerts).toEqual([]);
  });

  it('raises its alerts before it records, so that they are out when it cannot record', async () => {
    put(YESTERDAY);
    vault.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(check()).rejects.toMatchObject({ code: 'unavailable' });
    expect(raised()).toEqual(['critical backup_stale']);
  });
});

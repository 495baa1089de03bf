import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { backupPrefix } from '../../../core/backup/layout.ts';
import { readBackup } from '../../../core/backup/read-manifest.ts';
import { surveyBackup } from '../../../core/restore/survey-backup.ts';
import { createFolderBackups } from '../../../ops/folder-backups.ts';
import { MemoryBackups } from '../../support/memory-backups.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';

const INSTANT = Date.parse('2026-11-22T00:00:00Z');

describe('a backup in a folder', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lockzero-backup-'));
    const bucket = new MemoryBackups(new MemoryTables());
    bucket.putBackup(INSTANT, { vault: 5, audit: 3 });
    for (const [key, bytes] of bucket.objects) {
      const path = join(folder, key.slice(backupPrefix(INSTANT).length));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('is read like one in the bucket', async () => {
    const files = createFolderBackups(folder);
    const backup = await readBackup({ files }, '');
    expect(backup.instant).toBe(INSTANT);
    expect(await surveyBackup(files, backup)).toEqual({ vault: 5, audit: 3 });
  });

  test('that a bit flipped in is refused', async () => {
    const files = createFolderBackups(folder);
    const backup = await readBackup({ files }, '');
    const [file] = backup.tables.vault.files;
    await writeFile(join(folder, file?.key ?? ''), 'something else');
    await expect(surveyBackup(files, backup)).rejects.toMatchObject({ reason: 'altered' });
    await rm(join(folder, file?.key ?? ''));
    await expect(surveyBackup(files, backup)).rejects.toMatchObject({ reason: 'missing' });
    await expect(readBackup({ files }, '')).rejects.toMatchObject({ reason: 'missing' });
  });

  test('that is none is told from one', async () => {
    const files = createFolderBackups(join(folder, 'nothing'));
    await expect(readBackup({ files }, '')).rejects.toMatchObject({ name: 'BackupFault' });
  });
});

import { createHash } from 'node:crypto';
import { BackupFault } from '../../../core/backup/backup-fault.ts';
import type { DataFile } from '../../../core/backup/backup-files.ts';
import { readDataFile } from '../../../core/backup/data-file.ts';
import { backupPrefix, instantName, parseInstantName } from '../../../core/backup/layout.ts';
import { listBackups, readBackup } from '../../../core/backup/read-manifest.ts';
import { MemoryBackups } from '../../support/memory-backups.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';

const INSTANT = Date.parse('2026-11-22T01:00:00Z');
const PREFIX = 'backups/2026-11-22T01-00-00Z/';

let files: MemoryBackups;
let vault: string;
let audit: string;
beforeEach(() => {
  files = new MemoryBackups(new MemoryTables());
  vault = files.putExport(INSTANT, 'vault', 5);
  audit = files.putExport(INSTANT, 'audit', 1);
});

const read = (prefix = PREFIX) => readBackup({ files }, prefix);

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

/** Rewrites a manifest with the MD5 that belongs to it, as somebody who may write the bucket can. */
function rewrite(folder: string, name: string, edit: (text: string) => string): void {
  files.putManifest(folder, name, edit(files.manifest(folder, name)));
}

function removeBelow(prefix: string): void {
  for (const key of [...files.objects.keys()]) if (key.startsWith(prefix)) files.objects.delete(key);
}

function moveTo(prefix: string): void {
  for (const [key, bytes] of [...files.objects]) {
    files.objects.delete(key);
    files.put(prefix + key.slice(PREFIX.length), bytes);
  }
}

describe('the name of an instant', () => {
  it('is what a folder can be named by, and reads back', () => {
    expect(instantName(INSTANT)).toBe('2026-11-22T01-00-00Z');
    expect(parseInstantName('2026-11-22T01-00-00Z')).toBe(INSTANT);
    expect(backupPrefix(INSTANT)).toBe(PREFIX);
  });

  it.each([
    '',
    '2026-11-22',
    '2026-11-31T01-00-00Z',
    '2026-11-22T24-00-00Z',
    '2026-11-22T01-00-00Zx',
    '../..',
  ])('is not %j', (name) => {
    expect(parseInstantName(name)).toBeUndefined();
  });
});

describe('a whole backup', () => {
  it('is read with its tables, their files and numbers', async () => {
    const backup = await read();
    expect(backup.instant).toBe(INSTANT);
    expect(backup.tables.vault).toMatchObject({ instant: INSTANT, itemCount: 5, billedSizeBytes: 5_000 });
    expect(backup.tables.vault.tableArn).toMatch(/:table\/test-vault$/);
    expect(backup.tables.vault.files.map(({ key, itemCount }) => [key, itemCount])).toEqual([
      [`${vault}data/part0.json.gz`, 3],
      [`${vault}data/part1.json.gz`, 2],
    ]);
    expect(backup.tables.audit.itemCount).toBe(1);
  });

  it('gives its items line by line, also where a file of it is empty', async () => {
    const { tables } = await read();
    const lines = [];
    for (const file of [...tables.vault.files, ...tables.audit.files]) {
      lines.push(...(await collect(files.lines(file))));
    }
    expect(lines).toEqual([0, 1, 2, 3, 4, 0].map((index) => `{"Item":{"pk":{"S":"${index}"}}}`));
  });

  it.each(['', 'somewhere/else/'])('is the same when it was copied to %j', async (prefix) => {
    moveTo(prefix);
    const backup = await read(prefix);
    expect(backup.tables.vault.files[0]?.key).toBe(`${vault.replace(PREFIX, prefix)}data/part0.json.gz`);
  });

  it('may hold what is not of it', async () => {
    files.put(`${PREFIX}README`, 'x');
    files.put(`${PREFIX}vault/AWSDynamoDB/zz ☠/manifest-summary.json`, '{}');
    files.put(`${vault}data/other.json.gz`, 'x');
    expect((await read()).tables.vault.itemCount).toBe(5);
  });

  it('may have been exported twice: the newest export that is whole counts', async () => {
    files.putExport(INSTANT, 'vault', 6, { exportId: `0${INSTANT + 1}-again` });
    expect((await read()).tables.vault.itemCount).toBe(6);
    files.objects.delete(`${PREFIX}vault/AWSDynamoDB/0${INSTANT + 1}-again/manifest-summary.md5`);
    expect((await read()).tables.vault.itemCount).toBe(5);
  });
});

describe('a backup that is not whole', () => {
  const cases: readonly [string, string, () => void][] = [
    ['has no folder at all', 'unfinished', () => files.objects.clear()],
    ['has one table', 'unfinished', () => removeBelow(`${PREFIX}vault/`)],
    ['has no summary', 'unfinished', () => void files.objects.delete(`${audit}manifest-summary.json`)],
    [
      'has no MD5 of its summary',
      'unfinished',
      () => void files.objects.delete(`${audit}manifest-summary.md5`),
    ],
    ['has no list of files', 'missing', () => void files.objects.delete(`${audit}manifest-files.json`)],
    ['lacks a data file', 'missing', () => void files.objects.delete(`${vault}data/part1.json.gz`)],
    ['has another data file', 'altered', () => files.put(`${vault}data/part1.json.gz`, 'x')],
    ['has another summary', 'altered', () => files.put(`${vault}manifest-summary.json`, '{}')],
    ['has half a list of files', 'altered', () => files.put(`${vault}manifest-files.json`, '{"itemCount":3')],
    ['has no MD5 that is one', 'altered', () => files.put(`${vault}manifest-files.md5`, '')],
  ];
  it.each(cases)('%s', async (_name, reason, spoil) => {
    spoil();
    await expect(read()).rejects.toMatchObject({ name: 'BackupFault', reason });
  });

  const edits: readonly [string, string, string, (text: string) => string][] = [
    [
      'counts more items than its files',
      'contradictory',
      'manifest-summary',
      (text) => text.replace('"itemCount":5', '"itemCount":6'),
    ],
    ['names a file twice', 'contradictory', 'manifest-files', (text) => text.replace('part1', 'part0')],
    [
      'belongs to another export',
      'contradictory',
      'manifest-summary',
      (text) => text.replace('/manifest-files', 'x/manifest-files'),
    ],
    [
      'is of another instant',
      'contradictory',
      'manifest-summary',
      (text) => text.replace('T01:00:00.000Z","s3Bucket', 'T01:00:01.000Z","s3Bucket'),
    ],
    [
      'has the other table',
      'contradictory',
      'manifest-summary',
      (text) => text.replace('table/test-vault","tableId', 'table/test-audit","tableId'),
    ],
    [
      'names a file elsewhere',
      'malformed',
      'manifest-files',
      (text) => text.replace(/data\/part1/, '../secret'),
    ],
    [
      'names a file of another export',
      'malformed',
      'manifest-files',
      (text) => text.replace(/-vault\/data\/part1/, '-other/data/part1'),
    ],
    [
      'is an export of changes',
      'malformed',
      'manifest-summary',
      (text) => text.replace('{', '{"exportType":"INCREMENTAL_EXPORT",'),
    ],
    ['is in another format', 'malformed', 'manifest-summary', (text) => text.replace('DYNAMODB_JSON', 'ION')],
    [
      'counts backwards',
      'malformed',
      'manifest-files',
      (text) => text.replace('"itemCount":2', '"itemCount":-2'),
    ],
    ['is no JSON', 'malformed', 'manifest-summary', () => '{'],
    ['is no object', 'malformed', 'manifest-files', () => 'null\n'],
  ];
  it.each(edits)('%s', async (_name, reason, manifest, edit) => {
    const before = files.manifest(vault, manifest);
    rewrite(vault, manifest, edit);
    expect(files.manifest(vault, manifest)).not.toBe(before);
    await expect(read()).rejects.toMatchObject({ name: 'BackupFault', reason });
  });

  it('is told from a bucket that does not answer', async () => {
    for (const port of ['backups.folders', 'backups.files', 'backups.read']) {
      const tables = new MemoryTables();
      const broken = new MemoryBackups(tables);
      broken.putBackup(INSTANT, { vault: 1, audit: 1 });
      tables.faults = async ({ name }) => (name === port ? 'before' : 'none');
      await expect(readBackup({ files: broken }, PREFIX)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });
});

describe('the list of backups', () => {
  it('is newest first, and leaves out what is none', async () => {
    const older = INSTANT - 86_400_000;
    files.putBackup(older, { vault: 1, audit: 1 });
    for (const junk of ['latest/x', '2026-11-23/x', 'file', '2026-13-01T00-00-00Z/x', '__proto__/x']) {
      files.put(`backups/${junk}`, 'x');
    }
    expect(await listBackups({ files })).toEqual([INSTANT, older]);
  });
});

describe('a data file', () => {
  const text = ['{"Item":{"pk":{"S":"ü"}}}', '', '{"Item":{}}'].join('\n');
  const bytes = Buffer.from(text);
  const asItIs = (packed: AsyncIterable<Uint8Array>) => packed;

  async function* cut(size: number): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
  }

  const md5 = createHash('md5').update(bytes).digest('base64');
  const file: DataFile = { key: 'data/a.json.gz', itemCount: 2, md5, etag: md5 };

  it('has the same lines however its bytes arrive, with or without a newline at the end', async () => {
    for (const size of [1, 2, 7, bytes.length]) {
      expect(await collect(readDataFile(file, cut(size), asItIs))).toEqual([
        '{"Item":{"pk":{"S":"ü"}}}',
        '{"Item":{}}',
      ]);
    }
  });

  it('is refused when it is another one, has another number of items, or cannot be unpacked', async () => {
    const reads = (over: Partial<DataFile>, unpack = asItIs) =>
      collect(readDataFile({ ...file, ...over }, cut(9), unpack));
    await expect(reads({ md5: 'AAAAAAAAAAAAAAAAAAAAAA==' })).rejects.toMatchObject({ reason: 'altered' });
    await expect(reads({ itemCount: 3 })).rejects.toMatchObject({ reason: 'contradictory' });
    const breaking = (): AsyncIterable<Uint8Array> => {
      throw new Error('incorrect header check');
    };
    await expect(reads({}, breaking)).rejects.toThrow(BackupFault);
    await expect(reads({}, breaking)).rejects.toMatchObject({ reason: 'altered' });
  });

  it('never fills the memory with one line', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        yield megabyte;
      }
    }
    await expect(collect(readDataFile(file, endless(), asItIs))).rejects.toMatchObject({
      reason: 'malformed',
    });
    expect(given).toBeLessThan(10);
  });
});

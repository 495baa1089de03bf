import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BackupFault } from '../../core/backup/backup-fault.ts';
import type { BackupFiles, DataFile, ListedFile } from '../../core/backup/backup-files.ts';
import { readDataFile } from '../../core/backup/data-file.ts';
import { type BackupTable, backupPrefix } from '../../core/backup/layout.ts';
import type { MemoryTables } from './memory-ledger.ts';

/** What a test may say about an export; the rest is as DynamoDB has it. */
export interface ExportOptions {
  /** @default the table and the time of the instant */
  readonly exportId?: string;
  /** Epoch milliseconds. @default the instant of the folder */
  readonly exportTime?: number;
  readonly tableName?: string;
}

/**
 * The bucket for backups in memory. Calls go through `MemoryTables.call`, so that one hook injects faults into all ports:
 * they are named `backups.folders`, `backups.files`, `backups.read` and `backups.lines`.
 */
export class MemoryBackups implements BackupFiles {
  /** By key. Open to tests, which spoil files here. */
  readonly objects = new Map<string, Uint8Array>();
  readonly #tables: Pick<MemoryTables, 'call'>;

  constructor(tables: Pick<MemoryTables, 'call'>) {
    this.#tables = tables;
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const names = await this.#tables.call('backups.folders', () =>
      this.#below(prefix).flatMap((name) => /^[^/]*\//.exec(name)?.[0] ?? []),
    );
    for (const name of new Set(names)) yield prefix + name;
  }

  async *files(prefix: string): AsyncIterable<ListedFile> {
    const names = await this.#tables.call('backups.files', () =>
      this.#below(prefix).filter((name) => !name.includes('/')),
    );
    for (const name of names) {
      const bytes = this.objects.get(prefix + name) ?? new Uint8Array();
      yield { key: prefix + name, size: bytes.length, etag: etagOf(bytes) };
    }
  }

  read(key: string): Promise<Uint8Array | undefined> {
    return this.#tables.call('backups.read', () => this.objects.get(key));
  }

  async *lines(file: DataFile): AsyncIterable<string> {
    const bytes = await this.#tables.call('backups.lines', () => this.objects.get(file.key));
    if (bytes === undefined) throw new BackupFault('missing', file.key, 'The data file is not there.');
    yield* readDataFile(file, once(bytes), async function* (packed) {
      for await (const chunk of packed) if (chunk.length > 0) yield gunzipSync(chunk);
    });
  }

  put(key: string, content: Uint8Array | string): void {
    this.objects.set(key, Buffer.from(content));
  }

  /** Both tables with so many items, or these ones (each the text of one line). */
  putBackup(instant: number, items: Readonly<Record<BackupTable, number | readonly string[]>>): void {
    this.putExport(instant, 'vault', items.vault);
    this.putExport(instant, 'audit', items.audit);
  }

  /** One table as DynamoDB writes it, in two data files. @returns the folder of the export. */
  putExport(
    instant: number,
    table: BackupTable,
    items: number | readonly string[],
    options: ExportOptions = {},
  ): string {
    const { exportId = `0${instant}-${table}`, exportTime = instant, tableName = `test-${table}` } = options;
    const lines =
      typeof items === 'number'
        ? Array.from({ length: items }, (_, index) => `{"Item":{"pk":{"S":"${index}"}}}`)
        : items;
    const folder = `${backupPrefix(instant)}${table}/AWSDynamoDB/${exportId}/`;
    const half = Math.ceil(lines.length / 2);
    this.put(`${folder}_started`, '');
    const files = [lines.slice(0, half), lines.slice(half)].map((part, index) => {
      const packed = part.length === 0 ? Buffer.alloc(0) : gzipSync(part.map((line) => `${line}\n`).join(''));
      const key = `${folder}data/part${index}.json.gz`;
      this.put(key, packed);
      return { itemCount: part.length, md5Checksum: md5(packed), etag: etagOf(packed), dataFileS3Key: key };
    });
    const tableArn = `arn:aws:dynamodb:eu-central-1:000000000000:table/${tableName}`;
    this.putManifest(folder, 'manifest-files', files.map((file) => `${JSON.stringify(file)}\n`).join(''));
    this.putManifest(
      folder,
      'manifest-summary',
      JSON.stringify({
        version: '2020-06-30',
        exportArn: `${tableArn}/export/${exportId}`,
        startTime: new Date(exportTime + 600_000).toISOString(),
        endTime: new Date(exportTime + 900_000).toISOString(),
        tableArn,
        tableId: '00000000-0000-4000-8000-000000000000',
        exportTime: new Date(exportTime).toISOString(),
        s3Bucket: 'backups',
        s3Prefix: `${backupPrefix(instant)}${table}`,
        s3SseAlgorithm: 'KMS',
        s3SseKmsKeyId: 'arn:aws:kms:eu-central-1:000000000000:key/1',
        manifestFilesS3Key: `${folder}manifest-files.json`,
        billedSizeBytes: 1_000 * lines.length,
        itemCount: lines.length,
        outputFormat: 'DYNAMODB_JSON',
      }),
    );
    return folder;
  }

  /** A manifest, and the MD5 that belongs to it. */
  putManifest(folder: string, name: string, content: string): void {
    this.put(`${folder}${name}.json`, content);
    this.put(`${folder}${name}.md5`, md5(Buffer.from(content)));
  }

  /** What a manifest says. */
  manifest(folder: string, name: string): string {
    return Buffer.from(this.objects.get(`${folder}${name}.json`) ?? []).toString('utf8');
  }

  /** The names of all that begins with a prefix, without the prefix. */
  #below(prefix: string): string[] {
    return [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  }
}

async function* once<T>(value: T): AsyncGenerator<T> {
  yield value;
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

/** As S3 has it of a file that was sent in one part of a multipart upload. */
function etagOf(bytes: Uint8Array): string {
  const digest = createHash('md5').update(bytes).digest();
  return `${createHash('md5').update(digest).digest('hex')}-1`;
}

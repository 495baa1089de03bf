import { createHash } from 'node:crypto';
import * as z from 'zod';
import { BackupFault } from './backup-fault.ts';
import type { BackupFiles, DataFile, ListedFile } from './backup-files.ts';
import { BACKUPS_PREFIX, type BackupTable, parseInstantName } from './layout.ts';

/** One table as DynamoDB exported it. */
export interface TableExport {
  readonly exportArn: string;
  readonly tableArn: string;
  /** Epoch milliseconds of the instant that the items are as of. */
  readonly instant: number;
  readonly itemCount: number;
  /** The size of the table at that instant. */
  readonly billedSizeBytes: number;
  readonly files: readonly DataFile[];
}

/** Both tables as of one instant. The data files were seen; what is in them was not. */
export interface Backup {
  /** Epoch milliseconds. */
  readonly instant: number;
  readonly tables: Readonly<Record<BackupTable, TableExport>>;
}

export interface ManifestParts {
  readonly files: BackupFiles;
}

const count = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const instant = z.iso.datetime().transform((text) => Date.parse(text));
/** Base64 of 16 bytes. */
const md5 = z.string().regex(/^[A-Za-z0-9+/]{22}==$/);

/** `manifest-summary.json` (DynamoDB Developer Guide, "DynamoDB table export output format"), as far as it matters. */
const summarySchema = z.object({
  exportArn: z.string().min(1),
  tableArn: z.string().min(1),
  exportTime: instant,
  manifestFilesS3Key: z.string().min(1),
  billedSizeBytes: count,
  itemCount: count,
  outputFormat: z.literal('DYNAMODB_JSON'),
  /** Earlier exports do not say: there were only full ones. */
  exportType: z.literal('FULL_EXPORT').nullish(),
});

/** A line of `manifest-files.json`. */
const fileSchema = z.object({
  itemCount: count,
  md5Checksum: md5,
  etag: z.string().min(1),
  dataFileS3Key: z.string().min(1),
});

/** The backups of a deployment that have a folder, whole or not, newest first: epoch milliseconds of their instants. */
export async function listBackups({ files }: ManifestParts): Promise<readonly number[]> {
  const instants: number[] = [];
  for await (const folder of files.folders(BACKUPS_PREFIX)) {
    const found = parseInstantName(folder.slice(BACKUPS_PREFIX.length, -1));
    if (found !== undefined) instants.push(found);
  }
  return instants.sort((a, b) => b - a);
}

/**
 * Reads the manifests of a backup, and checks them against each other, against their checksums, and against the list of
 * data files that are there.
 *
 * @param prefix the folder with `vault/` and `audit/` in it; empty, or ends in a slash.
 * @throws BackupFault if the backup is not whole; VaultError `unavailable`.
 */
export async function readBackup(parts: ManifestParts, prefix: string): Promise<Backup> {
  const vault = await readTableExport(parts.files, `${prefix}vault/`);
  const audit = await readTableExport(parts.files, `${prefix}audit/`);
  if (vault.instant !== audit.instant || vault.tableArn === audit.tableArn) {
    throw new BackupFault(
      'contradictory',
      prefix,
      'The two exports are not of two tables as of one instant.',
    );
  }
  return { instant: vault.instant, tables: { vault, audit } };
}

/** Whatever else lies there, DynamoDB did not write. */
const EXPORT_FOLDER = /\/[A-Za-z0-9-]{1,64}\/$/;

/** The newest export of a table that is whole: an export that was asked for twice may be there twice. */
async function readTableExport(files: BackupFiles, prefix: string): Promise<TableExport> {
  const folders: string[] = [];
  for await (const folder of files.folders(`${prefix}AWSDynamoDB/`)) {
    if (EXPORT_FOLDER.test(folder)) folders.push(folder);
  }
  let fault: unknown;
  // An export's id begins with the time at which it was started.
  for (const folder of folders.sort().reverse()) {
    try {
      return await readExport(files, folder);
    } catch (error) {
      if (!(error instanceof BackupFault)) throw error;
      fault ??= error;
    }
  }
  throw fault ?? new BackupFault('unfinished', prefix, 'There is no export of this table.');
}

async function readExport(files: BackupFiles, folder: string): Promise<TableExport> {
  const summaryKey = `${folder}manifest-summary.json`;
  const summary = parse(summarySchema, await readChecked(files, folder, 'manifest-summary'), summaryKey);
  const filesKey = `${folder}manifest-files.json`;
  if (!below(filesKey, summary.manifestFilesS3Key)) {
    throw new BackupFault('contradictory', summaryKey, 'It belongs to another export.');
  }
  const lines = (await readChecked(files, folder, 'manifest-files'))
    .split('\n')
    .filter((line) => line !== '');
  const dataFiles = lines.map((line) => toDataFile(parse(fileSchema, line, filesKey), folder));
  const items = dataFiles.reduce((sum, { itemCount }) => sum + itemCount, 0);
  if (items !== summary.itemCount || new Set(dataFiles.map(({ key }) => key)).size < dataFiles.length) {
    throw new BackupFault(
      'contradictory',
      filesKey,
      'Its files do not have the items that the summary names.',
    );
  }
  await checkFiles(files, `${folder}data/`, dataFiles);
  const { exportArn, tableArn, exportTime, itemCount, billedSizeBytes } = summary;
  return { exportArn, tableArn, instant: exportTime, itemCount, billedSizeBytes, files: dataFiles };
}

/** A manifest as text, if it has the MD5 that lies beside it. */
async function readChecked(files: BackupFiles, folder: string, name: string): Promise<string> {
  const key = `${folder}${name}.json`;
  const [bytes, checksum] = await Promise.all([files.read(key), files.read(`${folder}${name}.md5`)]);
  if (bytes === undefined || checksum === undefined) {
    // The summary and its checksum are what DynamoDB writes last.
    const reason = name === 'manifest-summary' ? 'unfinished' : 'missing';
    throw new BackupFault(reason, key, 'The manifest or its checksum is not there.');
  }
  const digest = createHash('md5').update(bytes).digest('base64');
  if (Buffer.from(checksum).toString('latin1').trim() !== digest) {
    throw new BackupFault('altered', key, 'The manifest does not have the MD5 that lies beside it.');
  }
  return Buffer.from(bytes).toString('utf8');
}

function parse<T>(schema: z.ZodType<T>, text: string, key: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new BackupFault('malformed', key, 'It is no manifest of a full export in DynamoDB JSON.', cause);
  }
}

/** A manifest names keys in the bucket that it was written to; whoever copied the backup may have it elsewhere. */
function toDataFile(line: z.infer<typeof fileSchema>, folder: string): DataFile {
  const [name = ''] = /[^/]*$/.exec(line.dataFileS3Key) ?? [];
  const key = `${folder}data/${name}`;
  if (!/^[A-Za-z0-9_-]+\.json\.gz$/.test(name) || !below(key, line.dataFileS3Key)) {
    throw new BackupFault('malformed', `${folder}manifest-files.json`, 'It names a file of another place.');
  }
  return { key, itemCount: line.itemCount, md5: line.md5Checksum, etag: line.etag };
}

/** Whether two keys name the same file of the same export, from `AWSDynamoDB/` on. */
function below(key: string, named: string): boolean {
  const tail = (text: string) => text.slice(text.lastIndexOf('AWSDynamoDB/'));
  return tail(key) === tail(named);
}

async function checkFiles(files: BackupFiles, prefix: string, named: readonly DataFile[]): Promise<void> {
  const there = new Map<string, ListedFile>();
  for await (const file of files.files(prefix)) there.set(file.key, file);
  for (const { key, etag } of named) {
    const found = there.get(key);
    if (found === undefined) throw new BackupFault('missing', key, 'The data file is not there.');
    if (found.etag !== undefined && found.etag !== etag) {
      throw new BackupFault('altered', key, 'The data file is another one than was written.');
    }
  }
}

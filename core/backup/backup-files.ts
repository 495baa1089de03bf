/** A file of a backup, as a listing tells of it. */
export interface ListedFile {
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** As S3 gives it, without quotes; undefined where files lie on a disk. */
  readonly etag: string | undefined;
}

/** One compressed file of a table's items, as the manifest of an export names it. */
export interface DataFile {
  readonly key: string;
  readonly itemCount: number;
  /** MD5 of the file as it lies there, compressed; base64. */
  readonly md5: string;
  readonly etag: string;
}

/**
 * Where backups lie: a bucket, or a folder on a disk. Keys have `/` between their parts, and prefixes end in one, but for
 * the empty one, which is the root.
 *
 * @throws VaultError `unavailable` when the store does not answer.
 */
export interface BackupFiles {
  /** The folders directly below a prefix: each with the prefix in front and a slash behind, in any order. */
  folders(prefix: string): AsyncIterable<string>;
  /** The files directly below a prefix, in any order. */
  files(prefix: string): AsyncIterable<ListedFile>;
  /** A manifest, or its checksum; undefined where there is none. @throws BackupFault if it has more than {@link MAX_MANIFEST_BYTES}. */
  read(key: string): Promise<Uint8Array | undefined>;
  /**
   * The lines of a data file: each is one item as `{"Item":{…}}` in DynamoDB JSON. They come as they are read, and only
   * after the last one it is known whether all were right.
   *
   * @throws BackupFault if the file is not there, does not have the MD5 that its manifest names, or cannot be unpacked.
   */
  lines(file: DataFile): AsyncIterable<string>;
}

/** A manifest has some 250 bytes for each data file, and a data file is some hundred megabytes of a table. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

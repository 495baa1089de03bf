/** An object as it was read: exactly one version. */
export interface ArchivedObject {
  readonly bytes: Uint8Array;
  readonly versionId: string;
  /** Changes with each version of a key. */
  readonly etag: string;
}

export interface ObjectLock {
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  /** Epoch milliseconds until which nobody can remove the version. */
  readonly retainUntil: number;
}

/**
 * The archive: an S3 bucket under Object Lock. Every version written here is locked by the bucket's default retention;
 * a lock protects versions, not keys, so whatever matters later is read by version id.
 *
 * Reads see every earlier write (S3 is strongly consistent).
 *
 * @throws VaultError `unavailable` when the store does not answer; a write may then have taken effect or not.
 */
export interface ObjectArchive {
  /** Writes a key that has no object yet (`If-None-Match: *`). */
  create(
    key: string,
    bytes: Uint8Array,
  ): Promise<{ readonly status: 'created'; readonly versionId: string } | { readonly status: 'exists' }>;
  /** Writes the next version of a key whose current one has this ETag (`If-Match`). */
  replace(key: string, bytes: Uint8Array, etag: string): Promise<{ readonly status: 'replaced' | 'changed' }>;
  /** The current version, or the one asked for. */
  read(key: string, versionId?: string): Promise<ArchivedObject | undefined>;
  lock(key: string, versionId: string): Promise<ObjectLock | undefined>;
  /** Keys with a prefix in rising order of their UTF-8, page by page, after `startAfter` (excluded). */
  list(prefix: string, startAfter?: string): AsyncIterable<readonly string[]>;
}

/** Where objects wait that are not yet part of the archive: unlocked, and gone by themselves after some days. */
export interface StagingArea {
  put(key: string, bytes: Uint8Array): Promise<void>;
  read(key: string): Promise<Uint8Array | undefined>;
}

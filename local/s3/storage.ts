import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeFileAtomic } from '../json-records.ts';
import type { DefaultRetention, Lock } from './object-lock.ts';

export interface Bucket {
  name: string;
  createdAt: number;
  versioning: 'Enabled' | 'Suspended' | null;
  objectLock: boolean;
  defaultRetention: DefaultRetention | null;
}

/** A version of an object, or a delete marker, which has no data. */
export interface Version extends Lock {
  key: string;
  /** `null`, the word, for a version put while the bucket kept none. */
  versionId: string;
  /** Rises with every put: the highest of a key is the current version. */
  order: number;
  lastModified: number;
  deleteMarker: boolean;
  size: number;
  etag: string;
  /** Content-Type and its kin, and `x-amz-meta-*`. */
  headers: Record<string, string>;
  checksums: Record<string, string>;
  /** Name of the data file. */
  blob: string | null;
}

export type Storage = ReturnType<typeof openStorage>;

/**
 * Keeps buckets on disk, `<bucket>/{bucket.json, versions/, data/}`, with all but the data in memory too. Every call
 * is synchronous: nothing happens between a check and the write that relies on it. A version exists when its JSON
 * file does, which is written after its data and removed before it; a crash leaves at worst data that nothing names.
 * File names are hashes and random numbers, since a key may be any text, `..` included.
 */
export function openStorage(folder: string) {
  const buckets = new Map<string, Bucket>();
  const versions = new Map<string, Map<string, Version[]>>();
  let order = 0;

  const versionFile = (bucket: string, { key, versionId }: Version) =>
    join(folder, bucket, 'versions', `${createHash('sha256').update(key).digest('hex')}.${versionId}.json`);
  const blobFile = (bucket: string, blob: string) => join(folder, bucket, 'data', blob);

  /** Replaces, in memory, the version of the same id; newest first. */
  function remember(bucket: string, version: Version): void {
    const keys = versions.get(bucket) ?? new Map<string, Version[]>();
    const others = (keys.get(version.key) ?? []).filter(({ versionId }) => versionId !== version.versionId);
    keys.set(
      version.key,
      [...others, version].sort((a, b) => b.order - a.order),
    );
    versions.set(bucket, keys);
    order = Math.max(order, version.order);
  }

  function load(): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      const file = join(folder, name, 'bucket.json');
      if (!existsSync(file)) continue;
      buckets.set(name, readJson<Bucket>(file));
      const directory = join(folder, name, 'versions');
      for (const entry of readdirSync(directory).filter((each) => each.endsWith('.json'))) {
        remember(name, readJson<Version>(join(directory, entry)));
      }
    }
  }

  load();
  return {
    bucket: (name: string) => buckets.get(name),

    buckets: () => [...buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),

    /** The name must be a valid bucket name: it names a directory. */
    saveBucket(bucket: Bucket): void {
      mkdirSync(join(folder, bucket.name, 'versions'), { recursive: true, mode: 0o700 });
      mkdirSync(join(folder, bucket.name, 'data'), { recursive: true, mode: 0o700 });
      writeFileAtomic(join(folder, bucket.name, 'bucket.json'), JSON.stringify(bucket));
      buckets.set(bucket.name, bucket);
    },

    /** The versions of one key, newest first. */
    versions: (bucket: string, key: string): readonly Version[] => versions.get(bucket)?.get(key) ?? [],

    /** All versions of a bucket in the order of S3's listings: keys by their UTF-8 bytes, newest first. */
    allVersions(bucket: string): Version[] {
      const keys = [...(versions.get(bucket) ?? new Map<string, Version[]>())];
      return keys.sort(([a], [b]) => compareUtf8(a, b)).flatMap(([, each]) => each);
    },

    /** Adds the newest version of a key; a former version of the same id is replaced. */
    add(bucket: string, version: Omit<Version, 'order' | 'blob'>, data: Buffer | null): void {
      const blob = data === null ? null : randomBytes(16).toString('hex');
      const replaced = versions
        .get(bucket)
        ?.get(version.key)
        ?.find((old) => old.versionId === version.versionId);
      if (data !== null && blob !== null) writeFileAtomic(blobFile(bucket, blob), data);
      const added = { ...version, order: order + 1, blob };
      writeFileAtomic(versionFile(bucket, added), JSON.stringify(added));
      remember(bucket, added);
      if (replaced?.blob) rmSync(blobFile(bucket, replaced.blob), { force: true });
    },

    /** Changes what protects a version. */
    setLock(bucket: string, version: Version, lock: Partial<Lock>): void {
      const changed = { ...version, ...lock };
      writeFileAtomic(versionFile(bucket, changed), JSON.stringify(changed));
      remember(bucket, changed);
    },

    remove(bucket: string, version: Version): void {
      rmSync(versionFile(bucket, version), { force: true });
      const keys = versions.get(bucket);
      const rest = (keys?.get(version.key) ?? []).filter(({ versionId }) => versionId !== version.versionId);
      if (rest.length === 0) keys?.delete(version.key);
      else keys?.set(version.key, rest);
      if (version.blob !== null) rmSync(blobFile(bucket, version.blob), { force: true });
    },

    read: (bucket: string, version: Version): Buffer =>
      version.blob === null ? Buffer.alloc(0) : readFileSync(blobFile(bucket, version.blob)),
  };
}

/** S3 lists keys in the order of their UTF-8 bytes, which is not that of UTF-16 code units. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

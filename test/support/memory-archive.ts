import { createHash } from 'node:crypto';
import type {
  ArchivedObject,
  ObjectArchive,
  ObjectLock,
  StagingArea,
} from '../../core/archive/object-archive.ts';
import type { Clock } from '../../core/kernel/ports.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import type { MemoryTables } from './memory-ledger.ts';

export interface ObjectVersion extends ArchivedObject {
  readonly lock: ObjectLock | undefined;
}

/** Keys in one page of a listing; few, so that tests turn pages. */
const PAGE = 10;

/**
 * The bucket of the archive in memory, and beside it the staging area. Calls go through `MemoryTables.call`, so that one
 * hook injects faults into all ports: they are named `archive.create`, `staging.put` and so on.
 */
export class MemoryArchive implements ObjectArchive {
  /** The versions of each key, oldest first; `undefined` is a delete marker. Open to tests, which spoil objects here as an attacker would. */
  readonly versions = new Map<string, (ObjectVersion | undefined)[]>();
  /** Open to tests likewise. */
  readonly staged = new Map<string, Uint8Array>();
  /** The bucket's default retention. */
  retention: { readonly mode: ObjectLock['mode']; readonly days: number } | undefined = {
    mode: 'COMPLIANCE',
    days: 2_557,
  };
  readonly #tables: Pick<MemoryTables, 'call'>;
  readonly #clock: Pick<Clock, 'now'>;
  #count = 0;

  readonly staging: StagingArea = {
    put: (key, bytes) => {
      const sent = copy(bytes);
      return this.#tables.call('staging.put', () => void this.staged.set(key, sent));
    },
    read: (key) =>
      this.#tables.call('staging.read', () => {
        const bytes = this.staged.get(key);
        return bytes && copy(bytes);
      }),
  };

  constructor(tables: Pick<MemoryTables, 'call'>, clock: Pick<Clock, 'now'>) {
    this.#tables = tables;
    this.#clock = clock;
  }

  create(
    key: string,
    bytes: Uint8Array,
  ): Promise<{ readonly status: 'created'; readonly versionId: string } | { readonly status: 'exists' }> {
    const sent = copy(bytes);
    return this.#tables.call('archive.create', () =>
      this.current(key) === undefined
        ? { status: 'created', versionId: this.put(key, sent).versionId }
        : { status: 'exists' },
    );
  }

  replace(
    key: string,
    bytes: Uint8Array,
    etag: string,
  ): Promise<{ readonly status: 'replaced' | 'changed' }> {
    const sent = copy(bytes);
    return this.#tables.call('archive.replace', () => {
      if (this.current(key)?.etag !== etag) return { status: 'changed' };
      this.put(key, sent);
      return { status: 'replaced' };
    });
  }

  read(key: string, versionId?: string): Promise<ArchivedObject | undefined> {
    return this.#tables.call('archive.read', () => {
      const found =
        versionId === undefined
          ? this.current(key)
          : this.versions.get(key)?.find((version) => version?.versionId === versionId);
      return found && { bytes: copy(found.bytes), versionId: found.versionId, etag: found.etag };
    });
  }

  lock(key: string, versionId: string): Promise<ObjectLock | undefined> {
    return this.#tables.call(
      'archive.lock',
      () => this.versions.get(key)?.find((version) => version?.versionId === versionId)?.lock,
    );
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<readonly string[]> {
    for (let after = startAfter; ; ) {
      const from = after;
      const page = await this.#tables.call('archive.list', () =>
        this.keys(prefix)
          .filter((key) => from === undefined || compareUtf8(key, from) > 0)
          .slice(0, PAGE),
      );
      if (page.length > 0) yield page;
      if (page.length < PAGE) return;
      after = page.at(-1);
    }
  }

  /** The keys that have an object, in the order of their UTF-8. */
  keys(prefix = ''): string[] {
    return [...this.versions.keys()]
      .filter((key) => key.startsWith(prefix) && this.current(key) !== undefined)
      .sort(compareUtf8);
  }

  /** The current version of a key, as it lies there. */
  current(key: string): ObjectVersion | undefined {
    return this.versions.get(key)?.at(-1);
  }

  /** Puts the next version of a key unconditionally, as somebody could who may write the bucket. */
  put(key: string, bytes: Uint8Array): ObjectVersion {
    this.#count += 1;
    const { retention } = this;
    const version: ObjectVersion = {
      bytes: copy(bytes),
      versionId: `v${this.#count}`,
      etag: `"${createHash('md5').update(bytes).digest('hex')}"`,
      lock: retention && {
        mode: retention.mode,
        retainUntil: this.#clock.now() + retention.days * DAY_MS,
      },
    };
    this.versions.set(key, [...(this.versions.get(key) ?? []), version]);
    return version;
  }

  /** Hides a key behind a delete marker, as somebody could who may delete in the bucket. */
  hide(key: string): void {
    this.versions.set(key, [...(this.versions.get(key) ?? []), undefined]);
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes);
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

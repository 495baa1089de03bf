import { createHash, createPublicKey, verify } from 'node:crypto';
import type { ObjectVersion } from './memory-archive.ts';

/**
 * A reader of transparency logs as somebody else would write it, from the specifications alone (RFC 6962, C2SP
 * tlog-tiles, tlog-checkpoint, signed-note): it shares no code with the vault, takes nothing on trust, and computes
 * everything from the entries, slowly.
 */
export interface NaiveLog {
  readonly size: number;
  readonly entries: readonly Buffer[];
  /** The root of the tree of the first `size` entries. */
  readonly rootOf: (size: number) => Buffer;
}

type Read = (path: string) => Promise<Uint8Array | undefined>;

/** Reads a whole log and checks every file that its checkpoint requires. Throws at the first thing wrong. */
export async function readNaively(read: Read, origin: string, publicKey: Uint8Array): Promise<NaiveLog> {
  const { size, root } = openNaively(await mustRead(read, 'checkpoint'), origin, publicKey);
  const entries: Buffer[] = [];
  for (const { path, width } of tilesAt(size, 'entries')) {
    const bundle = splitBundle(await mustRead(read, path));
    equal(bundle.length, width, `entries in ${path}`);
    entries.push(...bundle);
  }
  equal(entries.length, size, 'entries');
  const hashes = naiveTree(entries);
  equal(hashes(0, size).toString('hex'), root, 'root');
  for (let level = 0; 256 ** level <= size; level += 1) {
    const span = 256 ** level;
    for (const { path, width, index } of tilesAt(Math.floor(size / span), String(level))) {
      const expected = Array.from({ length: width }, (_, at) => {
        const begin = (index * 256 + at) * span;
        return hashes(begin, begin + span);
      });
      equal((await mustRead(read, path)).toString('hex'), Buffer.concat(expected).toString('hex'), path);
    }
  }
  return { size, entries, rootOf: (leaves) => hashes(0, leaves) };
}

/** Opens a signed checkpoint by hand. */
export function openNaively(
  note: Uint8Array,
  origin: string,
  publicKey: Uint8Array,
): { readonly size: number; readonly root: string } {
  const [text = '', signatures = ''] = Buffer.from(note)
    .toString('utf8')
    .split(/(?<=\n)\n/);
  const [foundOrigin, size, root] = text.split('\n');
  equal(foundOrigin, origin, 'origin');
  const keyId = sha256(Buffer.from(`${origin}\n`), Buffer.of(1), publicKey).subarray(0, 4);
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), publicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const isSigned = signatures.split('\n').some((line) => {
    const [, name, encoded = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (name !== origin || !bytes.subarray(0, 4).equals(keyId)) return false;
    return verify(null, Buffer.from(text), key, bytes.subarray(4));
  });
  equal(isSigned, true, 'signature');
  return { size: Number(size), root: Buffer.from(root ?? '', 'base64').toString('hex') };
}

/**
 * Checks all that was ever written below a log's prefix: every name but the checkpoint's has one version for ever; the
 * published trees never shrink, and each, like each one kept for good, is the beginning of the last.
 */
export function checkHistory(
  versions: ReadonlyMap<string, readonly (ObjectVersion | undefined)[]>,
  prefix: string,
  log: NaiveLog,
  origin: string,
  publicKey: Uint8Array,
): void {
  for (const [key, history] of versions) {
    if (!key.startsWith(prefix)) continue;
    const path = key.slice(prefix.length);
    if (path !== 'checkpoint') equal(history.length, 1, `versions of ${path}`);
    if (path !== 'checkpoint' && !path.startsWith('seals/')) continue;
    let before = 0;
    for (const version of history) {
      const { size, root } = openNaively(version?.bytes ?? Buffer.alloc(0), origin, publicKey);
      equal(root, log.rootOf(size).toString('hex'), `root of ${path} at ${size}`);
      equal(size > before, true, `growth of ${path} from ${before} to ${size}`);
      if (path !== 'checkpoint') equal(path, `seals/${String(size).padStart(16, '0')}`, 'name');
      before = size;
    }
  }
}

/** The tiles of `count` hashes of one level, or the bundles of `count` entries. */
function tilesAt(count: number, level: string): { path: string; width: number; index: number }[] {
  return Array.from({ length: Math.ceil(count / 256) }, (_, index) => {
    const width = Math.min(256, count - index * 256);
    let name = String(index % 1000).padStart(3, '0');
    for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
      name = `x${String(rest % 1000).padStart(3, '0')}/${name}`;
    }
    return { path: `tile/${level}/${name}${width === 256 ? '' : `.p/${width}`}`, width, index };
  });
}

function splitBundle(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; ) {
    const length = bundle.readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

/** MTH of RFC 6962 section 2.1, word for word; what was computed once is kept. */
function naiveTree(entries: readonly Buffer[]): (begin: number, end: number) => Buffer {
  const known = new Map<string, Buffer>();
  const hashOf = (begin: number, end: number): Buffer => {
    const count = end - begin;
    if (count === 0) return sha256();
    if (count === 1) return sha256(Buffer.of(0), entries[begin] ?? Buffer.alloc(0));
    let split = 1;
    while (split * 2 < count) split *= 2;
    return sha256(Buffer.of(1), hash(begin, begin + split), hash(begin + split, end));
  };
  const hash = (begin: number, end: number): Buffer => {
    const key = `${begin}-${end}`;
    const value = known.get(key) ?? hashOf(begin, end);
    known.set(key, value);
    return value;
  };
  return hash;
}

async function mustRead(read: Read, path: string): Promise<Buffer> {
  const bytes = await read(path);
  if (bytes === undefined) throw new Error(`There is nothing at ${path}.`);
  return Buffer.from(bytes);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function equal(found: unknown, expected: unknown, what: string): void {
  if (found !== expected) throw new Error(`${what}: found ${String(found)}, expected ${String(expected)}`);
}

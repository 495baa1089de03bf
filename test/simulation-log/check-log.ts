import { createHash } from 'node:crypto';
import { checkHistory, type NaiveLog, openNaively, readNaively } from '../support/naive-log.ts';
import type { Remains } from './evidence.ts';

/** A row as it was sealed. */
export interface Entry {
  readonly leaf: number;
  readonly bytes: Buffer;
  readonly lane: number;
  readonly seq: number;
  readonly ts: string;
  readonly prev: string;
}

/**
 * A workspace's published log is right in every file that was ever published, never was anything else than a beginning of
 * what it is now, and holds every row that the table ever took as one leaf, in the order of its lane.
 *
 * @returns its entries in the order of the leaves.
 * @throws Error at the first thing wrong.
 */
export async function checkLog(remains: Remains, workspaceId: string): Promise<readonly Entry[]> {
  const { archive, evidence, logName, publicKey } = remains;
  const prefix = `log/${workspaceId}/`;
  const origin = `${logName}/${workspaceId}`;
  const current = async (path: string) => archive.current(`${prefix}${path}`)?.bytes;
  const log = await readNaively(current, origin, publicKey);
  checkHistory(archive.versions, prefix, log, origin, publicKey);
  for (const [key, versions] of archive.versions) {
    if (key.startsWith(`${prefix}tile/`))
      for (const version of versions) checkTile(log, key.slice(prefix.length), version?.bytes);
  }
  let version = 0;
  for (const state of evidence.states.filter((one) => one.workspaceId === workspaceId)) {
    const { size, root } = openNaively(Buffer.from(state.checkpoint), origin, publicKey);
    const isRight = size <= log.size && root === log.rootOf(size).toString('hex');
    if (!isRight || size !== state.size || root !== state.root)
      throw new Error(`The state at ${size} was signed and stored, and is no beginning of the log.`);
    if (state.version !== version + 1) throw new Error(`The state ${state.version} was stored twice.`);
    version = state.version;
  }
  const entries = log.entries.map(read);
  checkOrder(remains, workspaceId, entries);
  return entries;
}

/** Each row of the table is one leaf, and those of a lane stand in its order. */
function checkOrder({ evidence }: Remains, workspaceId: string, entries: readonly Entry[]): void {
  const rows = evidence.rows.filter((row) => row.workspaceId === workspaceId);
  const next = new Map<number, number>();
  for (const { leaf, bytes, lane, seq } of entries) {
    const expected = next.get(lane) ?? 1;
    if (seq !== expected) throw new Error(`Leaf ${leaf} is ${lane}-${seq}, not ${lane}-${expected}.`);
    next.set(lane, seq + 1);
    const row = rows.find((one) => one.lane === lane && one.seq === seq);
    if (row === undefined || !bytes.equals(row.bytes))
      throw new Error(`Leaf ${leaf} is not the row ${lane}-${seq}.`);
  }
  if (rows.length !== entries.length)
    throw new Error(`Of ${rows.length} rows, ${entries.length} are sealed.`);
}

function read(bytes: Buffer, leaf: number): Entry {
  const { lane, seq, ts, prev } = JSON.parse(bytes.toString('utf8'));
  return { leaf, bytes, lane: Number(lane), seq: Number(seq), ts, prev };
}

/** A file below `tile/`: entries, or hashes of a level. */
function checkTile(log: NaiveLog, path: string, bytes: Uint8Array | undefined): void {
  const [, kind = '', name = '', partial = '256'] =
    /^tile\/(\w+)\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? [];
  const index = Number(name.replace(/[x/]/g, ''));
  const places = Array.from({ length: Number(partial) }, (_, at) => index * 256 + at);
  const expected =
    kind === 'entries' ? places.map((at) => entryAt(log, at)) : hashesAt(log, Number(kind), places);
  if (kind === '' || !Buffer.concat(expected).equals(bytes ?? Buffer.alloc(0)))
    throw new Error(`${path} is not a file of this log.`);
}

function entryAt({ entries }: NaiveLog, at: number): Buffer {
  const entry = entries[at] ?? Buffer.alloc(0);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(entry.length);
  return Buffer.concat([length, entry]);
}

/** The subtrees of a level, where they are complete. */
function hashesAt({ entries }: NaiveLog, level: number, places: readonly number[]): Buffer[] {
  const span = 256 ** level;
  return places.map((at) => subtree(entries.slice(at * span, (at + 1) * span), span));
}

/** RFC 6962 section 2.1, of a power of two of entries; empty where there are fewer. */
function subtree(entries: readonly Buffer[], width: number): Buffer {
  if (entries.length < width) return Buffer.alloc(0);
  if (width === 1) return sha256(Buffer.of(0), ...entries);
  const half = width / 2;
  return sha256(Buffer.of(1), subtree(entries.slice(0, half), half), subtree(entries.slice(half), half));
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

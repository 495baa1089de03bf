import { createHash, createPublicKey, verify } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { Manifest } from '../../core/archive/manifest.ts';
import type { ObjectVersion } from '../support/memory-archive.ts';
import { openNaively } from '../support/naive-log.ts';
import type { Entry } from './check-log.ts';
import type { Remains } from './evidence.ts';

const DAY_MS = 86_400_000;

/**
 * Every day from that of the first row to yesterday is archived: one signed manifest, which names the one of the day before
 * and parts that hold just the rows of its day, to the byte; and nothing was ever written twice or lies there besides.
 *
 * @param entries of the workspace's log, in leaf order.
 * @throws Error at the first thing wrong.
 */
export function checkArchive(remains: Remains, workspaceId: string, entries: readonly Entry[]): void {
  const prefix = `archive/${workspaceId}/`;
  const known = new Set<string>();
  const take = (key: string, versionId?: string): ObjectVersion => {
    known.add(key);
    const versions = remains.archive.versions.get(key) ?? [];
    const [only] = versions;
    if (only === undefined || versions.length > 1) throw new Error(`${key} has ${versions.length} versions.`);
    if (only.versionId !== (versionId ?? only.versionId))
      throw new Error(`${key} has no version ${versionId}.`);
    return only;
  };
  const archived = new Map<number, number>();
  let [previous, largest] = ['0'.repeat(64), 0];
  for (const day of daysOf(entries, remains.end)) {
    const { bytes } = take(`${prefix}${day}/manifest.json`);
    checkNote(remains, workspaceId, day, bytes, take(`${prefix}${day}/manifest.note`).bytes);
    const manifest: Manifest = JSON.parse(Buffer.from(bytes).toString('utf8'));
    equal([manifest.ws, manifest.day, manifest.previous], [workspaceId, day, previous], `manifest of ${day}`);
    previous = sha256(bytes).toString('hex');

    const rows = rowsOf(entries, archived, day);
    equal(manifest.lanes, [...rows.values()].map(laneEntry), `lanes of ${day}`);
    for (const [lane, own] of rows) {
      const parts = manifest.parts.filter((part) => part.lane === lane);
      equal(
        parts.flatMap((part) => linesOf(part, take(part.key, part.versionId))),
        own.map(text),
        `${lane} of ${day}`,
      );
      archived.set(lane, own.at(-1)?.seq ?? 0);
    }
    for (const { key, versionId, size, root } of manifest.checkpoints) {
      const note = remains.archive.versions.get(key)?.find((version) => version?.versionId === versionId);
      const opened = openNaively(
        note?.bytes ?? new Uint8Array(),
        originOf(remains, workspaceId),
        remains.publicKey,
      );
      equal({ size, root: Buffer.from(root, 'base64').toString('hex') }, opened, key);
      equal(size > largest && key.endsWith(`/seals/${String(size).padStart(16, '0')}`), true, key);
      largest = size;
    }
    const needed = Math.max(0, ...[...rows.values()].flat().map(({ leaf }) => leaf + 1));
    if (largest < needed) throw new Error(`The manifest of ${day} names no checkpoint of ${needed} leaves.`);
  }
  const stray = [...remains.archive.versions.keys()].find((key) => key.startsWith(prefix) && !known.has(key));
  if (stray !== undefined) throw new Error(`No manifest names ${stray}.`);
}

/** From the day of the first row up to yesterday. */
function daysOf(entries: readonly Entry[], end: number): string[] {
  const [first] = entries;
  const days: string[] = [];
  for (let time = Date.parse(first?.ts.slice(0, 10) ?? ''); time + DAY_MS <= end; time += DAY_MS)
    days.push(new Date(time).toISOString().slice(0, 10));
  return days;
}

/** By lane, the rows up to the end of a day that no earlier one has. */
function rowsOf(
  entries: readonly Entry[],
  archived: ReadonlyMap<number, number>,
  day: string,
): Map<number, readonly [Entry, ...Entry[]]> {
  const rows = entries.filter(
    ({ lane, seq, ts }) => ts.slice(0, 10) <= day && seq > (archived.get(lane) ?? 0),
  );
  const byLane = Map.groupBy(rows, ({ lane }) => lane) as Map<number, [Entry, ...Entry[]]>;
  return new Map([...byLane].sort(([a], [b]) => a - b));
}

function laneEntry(rows: readonly [Entry, ...Entry[]]): Manifest['lanes'][number] {
  const [first] = rows;
  const last = rows.at(-1) ?? first;
  const lastHash = sha256(Buffer.of(0), last.bytes).toString('hex');
  const range = { lane: first.lane, first: first.seq, last: last.seq };
  return { ...range, firstPrev: first.prev, lastHash, lastTs: last.ts };
}

/** The lines of a part, once it is what its manifest says. */
function linesOf(
  { first, last, ...part }: Manifest['parts'][number],
  { bytes: gzip }: ObjectVersion,
): string[] {
  const raw = gunzipSync(gzip);
  const lines = raw.toString('utf8').split('\n');
  equal(lines.pop(), '', `end of ${part.key}`);
  const found = {
    rows: lines.length,
    bytes: raw.length,
    sha256: sha256(raw).toString('hex'),
    gzipBytes: gzip.length,
    gzipSha256: sha256(gzip).toString('hex'),
  };
  equal({ ...part, rows: last - first + 1 }, { ...part, ...found }, part.key);
  return lines;
}

function text({ bytes }: Entry): string {
  return bytes.toString('utf8');
}

function originOf({ logName }: Remains, workspaceId: string): string {
  return `${logName}/${workspaceId}`;
}

function checkNote(
  remains: Remains,
  workspaceId: string,
  day: string,
  manifest: Uint8Array,
  note: Uint8Array,
): void {
  const origin = originOf(remains, workspaceId);
  const signed = `${origin}/archive\n${day}\n${sha256(manifest).toString('base64')}\n`;
  const keyId = sha256(Buffer.from(`${origin}\n`), Buffer.of(1), remains.publicKey).subarray(0, 4);
  const line = Buffer.from(note).toString('utf8').replace(`${signed}\n\u2014 ${origin} `, '');
  const signature = Buffer.from(line, 'base64');
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), remains.publicKey]);
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const isSigned =
    signature.subarray(0, 4).equals(keyId) && verify(null, Buffer.from(signed), key, signature.subarray(4));
  if (!isSigned) throw new Error(`The manifest of ${day} is not signed.`);
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

function equal(found: unknown, expected: unknown, what: string): void {
  const [one, other] = [sorted(found), sorted(expected)];
  if (one !== other) throw new Error(`${what}: found ${one}, expected ${other}`);
}

/** As JSON, with members in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

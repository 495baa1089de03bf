import { hash } from 'node:crypto';
import * as z from 'zod';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { isTimestamp } from '../kernel/timestamps.ts';
import type { Day } from './day.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const lane = z.int().min(0).max(65_535);
const seq = z.int().min(1);
const key = z.string().min(1).max(1_024);
const versionId = z.string().min(1).max(1_024);

/** The rows of one lane on a day, from `first` to `last`. */
const manifestLaneSchema = z.strictObject({
  lane,
  first: seq,
  last: seq,
  /** The `prev` of the row `first`, and the hash and time of the row `last`. */
  firstPrev: sha256,
  lastHash: sha256,
  lastTs: z.string().refine(isTimestamp),
});

/** An object with the rows `first` to `last` of a lane: their exact bytes, a newline after each, in gzip. */
const manifestPartSchema = z.strictObject({
  key,
  versionId,
  lane,
  first: seq,
  last: seq,
  rows: z.int().min(1),
  /** Before compression. */
  bytes: z.int().min(2),
  sha256,
  gzipBytes: z.int().min(1),
  gzipSha256: sha256,
});

/** A checkpoint of the log; `root` is the root hash in base64, as in the checkpoint itself. */
const manifestCheckpointSchema = z.strictObject({
  key,
  versionId,
  size: z.int().min(1),
  root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});

const manifestSchema = z.strictObject({
  v: z.literal(1),
  ws: z.string().min(1).max(64),
  day: z.iso.date(),
  /** SHA-256 of the manifest of the day before; {@link NO_MANIFEST} in the first. */
  previous: sha256,
  /** In rising order; a lane without rows on this day is not among them. */
  lanes: z.array(manifestLaneSchema),
  /** By lane, then by row. */
  parts: z.array(manifestPartSchema),
  /** By size: those that are not in an earlier manifest, up to the first whose tree holds all rows of the day. */
  checkpoints: z.array(manifestCheckpointSchema),
});

/** What was archived of a workspace's rows of one day. `docs/audit-format.md` is its specification. */
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestLane = z.infer<typeof manifestLaneSchema>;
export type ManifestPart = z.infer<typeof manifestPartSchema>;
export type ManifestCheckpoint = z.infer<typeof manifestCheckpointSchema>;

/** Stands for the manifest before the first one. */
export const NO_MANIFEST = '0'.repeat(64);

/** The one form of a manifest: canonical JSON (RFC 8785) in UTF-8. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  return Buffer.from(canonicalJson(manifest), 'utf8');
}

/**
 * Reads a manifest strictly: of version 1, in canonical form, and such that its parts hold just the rows of its lanes.
 *
 * @returns `undefined` for anything else.
 */
export function decodeManifest(bytes: Uint8Array): Manifest | undefined {
  const parsed = manifestSchema.safeParse(parseJson(bytes));
  if (!parsed.success) return undefined;
  const manifest = parsed.data;
  const isCanonical = Buffer.compare(encodeManifest(manifest), bytes) === 0;
  return isCanonical && isComplete(manifest) ? manifest : undefined;
}

/** The text that is signed: the log's origin marked as an archive's, the day, and the hash of the manifest's bytes. */
export function manifestNoteText(origin: string, day: Day, bytes: Uint8Array): string {
  return `${origin}/archive\n${day}\n${hash('sha256', bytes, 'base64')}\n`;
}

export function archivePrefix(workspaceId: string): string {
  return `archive/${workspaceId}/`;
}

export function manifestKey(workspaceId: string, day: Day): string {
  return `${archivePrefix(workspaceId)}${day}/manifest.json`;
}

export function noteKey(workspaceId: string, day: Day): string {
  return `${archivePrefix(workspaceId)}${day}/manifest.note`;
}

/** @param part counted from 1 in each lane. */
export function partKey(workspaceId: string, day: Day, laneNumber: number, part: number): string {
  return `${archivePrefix(workspaceId)}${day}/${laneNumber}-${String(part).padStart(4, '0')}.ndjson.gz`;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function isComplete({ ws, day, lanes, parts, checkpoints }: Manifest): boolean {
  const expected = [...parts];
  for (const { lane: number, first, last } of lanes) {
    let next = first;
    for (let part = 1; next <= last; part += 1) {
      const found = expected.shift();
      const rows = found === undefined ? 0 : found.last - found.first + 1;
      const fits = found?.lane === number && found.first === next && found.rows === rows && rows > 0;
      if (!fits || found.key !== partKey(ws, day, number, part)) return false;
      next = found.last + 1;
    }
    if (next !== last + 1) return false;
  }
  const sizes = checkpoints.map(({ size }) => size);
  return expected.length === 0 && isRising(lanes.map((entry) => entry.lane)) && isRising(sizes);
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? number));
}

import { hash } from 'node:crypto';
import type { MessageSigner } from '../crypto/message-signer.ts';
import { logOrigin } from '../seal/log-origin.ts';
import { logKeys } from '../seal/published-log.ts';
import { NoteError, openNote } from '../transparency/signed-note.ts';
import { ArchiveFault, conflict } from './archive-fault.ts';
import { type Day, daysBefore, nextDay } from './day.ts';
import {
  archivePrefix,
  decodeManifest,
  type Manifest,
  manifestKey,
  manifestNoteText,
  noteKey,
} from './manifest.ts';
import type { ObjectArchive } from './object-archive.ts';

export interface ManifestParts {
  readonly archive: Pick<ObjectArchive, 'read' | 'list'>;
  readonly signer: Pick<MessageSigner, 'publicKeys'>;
  readonly logName: string;
}

/** A manifest whose signature was verified. */
export interface SignedManifest {
  readonly manifest: Manifest;
  /** The exact bytes, and their SHA-256 in hex: the `previous` of the next day's manifest. */
  readonly bytes: Uint8Array;
  readonly sha256: string;
  /** The signed note. */
  readonly note: string;
}

/**
 * The manifest of a day; undefined unless both it and its note are there: then the day is not archived.
 *
 * @throws ArchiveFault `unsigned`, `altered`
 * @throws VaultError `unavailable`
 */
export async function readManifest(
  parts: ManifestParts,
  workspaceId: string,
  day: Day,
): Promise<SignedManifest | undefined> {
  const key = manifestKey(workspaceId, day);
  const object = await parts.archive.read(key);
  const signed = await parts.archive.read(noteKey(workspaceId, day));
  if (object === undefined || signed === undefined) return undefined;
  const { bytes } = object;
  const note = await openManifestNote(parts, workspaceId, day, bytes, signed.bytes);
  if (note === undefined) throw conflict(noteKey(workspaceId, day), 'unsigned');
  const manifest = decodeManifest(bytes);
  if (manifest?.ws !== workspaceId || manifest.day !== day) throw conflict(key, 'altered');
  return { manifest, bytes, sha256: hash('sha256', bytes, 'hex'), note };
}

/** The note as text if one of our keys signed it for just this manifest. */
export async function openManifestNote(
  parts: Omit<ManifestParts, 'archive'>,
  workspaceId: string,
  day: Day,
  manifest: Uint8Array,
  note: Uint8Array,
): Promise<string | undefined> {
  const origin = logOrigin(parts.logName, workspaceId);
  const keys = await logKeys(parts, origin);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
    return openNote(text, keys).text === manifestNoteText(origin, day, manifest) ? text : undefined;
  } catch (error) {
    // TextDecoder throws a TypeError for what is no UTF-8.
    if (error instanceof NoteError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * A workspace's manifests from one day to another (both included), oldest first. Each must follow the one before it: the
 * day, and its hash. The first one given out is not compared with any.
 *
 * @throws ArchiveFault `missing`, `unlinked`, and those of {@link readManifest}
 * @throws VaultError `unavailable`
 */
export async function* readManifests(
  parts: ManifestParts,
  workspaceId: string,
  { from, to }: { readonly from?: Day; readonly to?: Day } = {},
): AsyncGenerator<SignedManifest> {
  let previous: SignedManifest | undefined;
  for await (const day of archivedDays(parts, workspaceId, from)) {
    if (to !== undefined && day > to) return;
    const signed = await readManifest(parts, workspaceId, day);
    if (signed === undefined) throw conflict(manifestKey(workspaceId, day), 'missing');
    if (previous !== undefined && !isNext(previous, signed)) {
      throw conflict(manifestKey(workspaceId, day), 'unlinked');
    }
    yield signed;
    previous = signed;
  }
}

/** How many days the newest manifest is searched in, each time that the search before found none. */
const SEARCHED_DAYS = [8, 64, 512] as const;

/**
 * The newest manifest of a workspace up to a day. One that does not verify does not count: whoever archives its day again
 * finds the name taken.
 *
 * @throws VaultError `unavailable`
 */
export async function newestManifest(
  parts: ManifestParts,
  workspaceId: string,
  to: Day,
): Promise<SignedManifest | undefined> {
  for (const from of [...SEARCHED_DAYS.map((count) => daysBefore(to, count)), undefined]) {
    const days: Day[] = [];
    for await (const day of archivedDays(parts, workspaceId, from)) if (day <= to) days.push(day);
    for (const day of days.reverse()) {
      const signed = await readValidManifest(parts, workspaceId, day);
      if (signed !== undefined) return signed;
    }
  }
  return undefined;
}

async function readValidManifest(
  parts: ManifestParts,
  workspaceId: string,
  day: Day,
): Promise<SignedManifest | undefined> {
  try {
    return await readManifest(parts, workspaceId, day);
  } catch (error) {
    if (error instanceof ArchiveFault) return undefined;
    throw error;
  }
}

/** The days that have a note, from a day on, in order. */
async function* archivedDays(
  { archive }: ManifestParts,
  workspaceId: string,
  from: Day | undefined,
): AsyncGenerator<Day> {
  const prefix = archivePrefix(workspaceId);
  // Sorts before all keys of that day, and after those of the day before.
  for await (const keys of archive.list(prefix, from === undefined ? undefined : `${prefix}${from}`)) {
    for (const key of keys) {
      const day = NOTE.exec(key.slice(prefix.length))?.[1];
      if (day !== undefined) yield day;
    }
  }
}

const NOTE = /^(\d{4}-\d\d-\d\d)\/manifest\.note$/;

function isNext(previous: SignedManifest, { manifest }: SignedManifest): boolean {
  return manifest.day === nextDay(previous.manifest.day) && manifest.previous === previous.sha256;
}

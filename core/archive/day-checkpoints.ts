import { logOrigin, logPrefix, SEALS_PATH, sealPath } from '../seal/log-origin.ts';
import { logKeys } from '../seal/published-log.ts';
import { type Checkpoint, openCheckpoint } from '../transparency/checkpoint.ts';
import { hashToBase64 } from '../transparency/merkle.ts';
import { NoteError, type VerifierKey } from '../transparency/signed-note.ts';
import { conflict } from './archive-fault.ts';
import type { ManifestCheckpoint } from './manifest.ts';
import type { ManifestParts } from './read-manifests.ts';

/**
 * The checkpoints that a day adds: those behind the one that the manifests before it end with, up to the first whose tree
 * holds all rows of the day. They were all published in the order of their sizes, so that a later look finds the same.
 *
 * @param earlier leaves that it took to hold all rows of the days before; 0 on the first day.
 * @param needed leaves that it takes to hold those of the day, too.
 * @throws ArchiveFault `missing`, `unsigned`
 * @throws VaultError `unavailable`
 */
export async function dayCheckpoints(
  parts: ManifestParts,
  workspaceId: string,
  earlier: number,
  needed: number,
): Promise<ManifestCheckpoint[]> {
  const checkpoints: ManifestCheckpoint[] = [];
  // The first tree that holds the rows of the days before is what the manifests before end with.
  let isNew = earlier === 0;
  for await (const checkpoint of checkpointsFrom(parts, workspaceId, earlier)) {
    if (isNew) checkpoints.push(checkpoint);
    isNew = true;
    if (checkpoint.size >= needed) return checkpoints;
  }
  throw conflict(`${logPrefix(workspaceId)}${sealPath(needed)}`, 'missing');
}

/** The checkpoints that are kept for good, from a tree size on, in order. */
async function* checkpointsFrom(
  parts: ManifestParts,
  workspaceId: string,
  size: number,
): AsyncGenerator<ManifestCheckpoint> {
  const origin = logOrigin(parts.logName, workspaceId);
  const keys = await logKeys(parts, origin);
  const prefix = logPrefix(workspaceId);
  const after = `${prefix}${sealPath(Math.max(0, size - 1))}`;
  for await (const page of parts.archive.list(`${prefix}${SEALS_PATH}`, after)) {
    for (const key of page) {
      const object = await parts.archive.read(key);
      if (object === undefined) throw conflict(key, 'missing');
      const checkpoint = open(object.bytes, origin, keys);
      if (checkpoint === undefined || key !== `${prefix}${sealPath(checkpoint.size)}`) {
        throw conflict(key, 'unsigned');
      }
      const { versionId } = object;
      yield { key, versionId, size: checkpoint.size, root: hashToBase64(checkpoint.root) };
    }
  }
}

function open(note: Uint8Array, origin: string, keys: readonly VerifierKey[]): Checkpoint | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(note);
    return openCheckpoint(text, origin, keys);
  } catch (error) {
    // TextDecoder throws a TypeError for what is no UTF-8.
    if (error instanceof NoteError || error instanceof TypeError) return undefined;
    throw error;
  }
}

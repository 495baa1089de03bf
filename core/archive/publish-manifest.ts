import { hash } from 'node:crypto';
import type { MessageSigner } from '../crypto/message-signer.ts';
import { logOrigin } from '../seal/log-origin.ts';
import { noteOf, signatureLine, verifierKey } from '../transparency/signed-note.ts';
import { encodeManifest, type Manifest, manifestKey, manifestNoteText, noteKey } from './manifest.ts';
import { openManifestNote, type SignedManifest } from './read-manifests.ts';
import { storeObject, type WritableArchive } from './store-object.ts';

export interface PublishParts {
  readonly archive: WritableArchive;
  /** Signs checkpoints, and manifests likewise. */
  readonly signer: MessageSigner;
  readonly logName: string;
}

/**
 * Stores a manifest and then, with everything it names read back before, the signed note that makes it count.
 *
 * @param lockedUntil epoch milliseconds until which nobody must be able to remove either.
 * @throws ArchiveFault `taken` when the day has another manifest; `altered`, `unlocked`. VaultError `unavailable`.
 */
export async function publishManifest(
  parts: PublishParts,
  manifest: Manifest,
  lockedUntil: number,
): Promise<SignedManifest> {
  const { ws, day } = manifest;
  const bytes = encodeManifest(manifest);
  await storeObject(
    parts.archive,
    manifestKey(ws, day),
    bytes,
    lockedUntil,
    (stored) => Buffer.compare(stored, bytes) === 0,
  );
  const signed = await sign(parts, ws, manifestNoteText(logOrigin(parts.logName, ws), day, bytes));
  let note: string | undefined;
  // The note of an earlier run may have another signature: of the key that was current then.
  await storeObject(
    parts.archive,
    noteKey(ws, day),
    Buffer.from(signed, 'utf8'),
    lockedUntil,
    async (stored) => {
      note = await openManifestNote(parts, ws, day, bytes, stored);
      return note !== undefined;
    },
  );
  return { manifest, bytes, sha256: hash('sha256', bytes, 'hex'), note: note ?? signed };
}

async function sign({ signer, logName }: PublishParts, workspaceId: string, text: string): Promise<string> {
  const { keyId, signature } = await signer.sign(Buffer.from(text, 'utf8'));
  const key = (await signer.publicKeys()).find((candidate) => candidate.keyId === keyId);
  if (key === undefined) throw new TypeError('The signer signed with a key that it does not name.');
  return noteOf(text, [
    signatureLine(verifierKey(logOrigin(logName, workspaceId), key.publicKey), signature),
  ]);
}

import { unavailable } from '../kernel/errors.ts';
import { checkpointText, openCheckpoint } from '../transparency/checkpoint.ts';
import type { Hash } from '../transparency/merkle.ts';
import { noteOf, signatureLine, verifierKey } from '../transparency/signed-note.ts';
import { logOrigin } from './log-origin.ts';
import type { SealParts } from './parts.ts';

/**
 * Signs the head of a tree: a C2SP tlog-checkpoint as a signed note.
 *
 * @throws VaultError `unavailable` when the key cannot be used.
 * @throws NoteError when the signature does not verify: nothing that others could not check goes out.
 */
export async function signCheckpoint(
  { signer, logName }: SealParts,
  workspaceId: string,
  size: number,
  root: Hash,
): Promise<string> {
  const origin = logOrigin(logName, workspaceId);
  const text = checkpointText({ origin, size, root });
  const { keyId, signature } = await signer.sign(Buffer.from(text, 'utf8'));
  const signedBy = (await signer.publicKeys()).find((each) => each.keyId === keyId);
  if (signedBy === undefined) throw unavailable('The key that signed is not among those that verify.');
  const key = verifierKey(origin, signedBy.publicKey);
  const note = noteOf(text, [signatureLine(key, signature)]);
  openCheckpoint(note, origin, [key]);
  return note;
}

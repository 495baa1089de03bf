import type { RequestContext } from '../access/principal.ts';
import type { DataKey } from '../crypto/key-service.ts';
import { newId } from '../kernel/ids.ts';
import {
  CANNOT_OPEN,
  cannotMoveIn,
  cannotMoveOut,
  faultsOfFacts,
  type KeyFault,
  NO_ACCESS,
  NOT_USABLE,
  OPEN_TO_OTHERS,
  OPEN_WITHOUT_CONTEXT,
} from './key-faults.ts';
import { isWrapped, opensWhatItWraps, type Proof, type ProofParts, tryKey, unlessRefused } from './proof.ts';
import type { DeploymentKeys } from './wrapping-key.ts';

type Parts = ProofParts & { readonly deploymentKeys: DeploymentKeys };

/**
 * Tries all that the vault does with a workspace's key, and all that nobody may do with it: generates, opens, moves what
 * lies under the present key there and back; and then, without an encryption context and in another workspace's, has to
 * be refused. So a key that is lost tomorrow is not taken today, and no workspace can name the key of another one.
 *
 * Nothing is told about a key that does not let the vault in for this very workspace, not even that it exists.
 *
 * Where the present key cannot be used, because its owner took it away, the vault's own takes its place in the trial: a
 * customer whose key is gone can bring a new one for what is written from now on. Whatever lies under the old key stays
 * there until it returns.
 *
 * @param current the key that wraps the workspace's new versions.
 * @returns all faults that were found; none if the key can be taken.
 * @throws VaultError `unavailable` when the service does not answer or takes too long; `key_unavailable` when the key goes
 * away during the trial.
 */
export function proveKey(
  parts: Parts,
  context: RequestContext,
  { keyArn, current }: { readonly keyArn: string; readonly current: string },
): Promise<readonly KeyFault[]> {
  return tryKey(parts, context, keyArn, async (proof) => {
    const facts = await unlessRefused(proof.inspector.describe(keyArn));
    if (facts === undefined) return [NO_ACCESS];
    // KMS looks at the policy first: whoever is let in is told what else is wrong with the key, and nobody else.
    const isLetIn = await unlessRefused(proof.inspector.mayGenerate(keyArn, proof.context));
    if (isLetIn === false) return [NO_ACCESS];
    const unfit = faultsOfFacts(facts);
    if (unfit.length > 0) return unfit;
    if (isLetIn === undefined) return [NOT_USABLE];
    const faults = [
      ...(await tryOpening(proof, keyArn)),
      ...(await tryMoving(proof, keyArn, [current, parts.deploymentKeys.own])),
      ...(await tryTrespassing(proof, keyArn, newId('ws', parts.random))),
    ];
    // Each once: a key that opens nothing shows so twice.
    return [...new Set(faults)];
  });
}

async function tryOpening(proof: Proof, keyArn: string): Promise<KeyFault[]> {
  const opens = await opensWhatItWraps(proof, keyArn);
  if (opens === 'yes') return [];
  return [opens === 'no' ? NOT_USABLE : CANNOT_OPEN];
}

async function tryMoving(
  proof: Proof,
  keyArn: string,
  partners: readonly [current: string, own: string],
): Promise<KeyFault[]> {
  const { keys, context } = proof;
  const made = await wrappedByFirst(proof, partners);
  const other = made.keyArn;
  try {
    const movedIn = await unlessRefused(keys.reEncrypt(made.wrapped, { from: other, to: keyArn }, context));
    if (movedIn === undefined) return [cannotMoveIn(other)];
    const opens = await isWrapped(keys, movedIn, keyArn, context, made.plaintext);
    const movedOut = await unlessRefused(keys.reEncrypt(movedIn, { from: keyArn, to: other }, context));
    return [...(opens ? [] : [CANNOT_OPEN]), ...(movedOut === undefined ? [cannotMoveOut(other)] : [])];
  } finally {
    made.plaintext.fill(0);
  }
}

async function wrappedByFirst(
  { keys, context }: Proof,
  [current, own]: readonly [string, string],
): Promise<DataKey> {
  const made = await unlessRefused(keys.generateDataKey(current, context));
  return made ?? keys.generateDataKey(own, context);
}

async function tryTrespassing(
  { inspector, context }: Proof,
  keyArn: string,
  otherWorkspaceId: string,
): Promise<KeyFault[]> {
  const isOpen = await inspector.mayGenerate(keyArn, {});
  const isOpenToOthers = await inspector.mayGenerate(keyArn, { ...context, workspaceId: otherWorkspaceId });
  return [...(isOpen ? [OPEN_WITHOUT_CONTEXT] : []), ...(isOpenToOthers ? [OPEN_TO_OTHERS] : [])];
}

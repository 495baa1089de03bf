import { originOf, type RequestContext } from '../access/principal.ts';
import { authorize } from '../access/role.ts';
import { logOrigin } from '../seal/log-origin.ts';
import { logKeys } from '../seal/published-log.ts';
import { formatVerifierKey } from '../transparency/signed-note.ts';
import type { EvidenceParts, SealedLogs } from './evidence-parts.ts';
import { openLog } from './open-log.ts';

export interface SignedCheckpoint {
  /** The checkpoint (C2SP tlog-checkpoint) as a signed note, cosignatures of witnesses included. */
  readonly checkpoint: string;
  /** The key to verify it with (C2SP verifier key). Get it once by another way than this: it proves nothing here. */
  readonly verifierKey: string;
}

/** The newest signed head of the workspace's log, for whoever wants to keep it. */
export async function readSignedCheckpoint(
  { log, trail }: EvidenceParts,
  context: RequestContext,
): Promise<SignedCheckpoint> {
  const { workspaceId } = context.principal;
  authorize(context.principal, 'audit:read');
  const { note, checkpoint } = await openLog(log, workspaceId);
  const verifierKey = await currentVerifierKey(log, workspaceId);
  await trail.commit(originOf(context), [
    {
      action: 'audit.checkpoint_read',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      detail: { size: String(checkpoint.size) },
    },
  ]);
  return { checkpoint: note, verifierKey };
}

export async function currentVerifierKey(log: SealedLogs, workspaceId: string): Promise<string> {
  const [current] = await logKeys(log, logOrigin(log.logName, workspaceId));
  if (current === undefined) throw new TypeError('A signer has a key.');
  return formatVerifierKey(current);
}

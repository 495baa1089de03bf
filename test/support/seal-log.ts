import type { StagingArea } from '../../core/archive/object-archive.ts';
import type { MessageSigner } from '../../core/crypto/message-signer.ts';
import type { Alert } from '../../core/detection/alert.ts';
import type { EvidenceParts } from '../../core/evidence/evidence-parts.ts';
import type { Store } from '../../core/kernel/store.ts';
import { type SealOutcome, sealWorkspace } from '../../core/seal/seal-workspace.ts';

interface Parts extends EvidenceParts {
  readonly store: Store;
  readonly log: EvidenceParts['log'] & { readonly signer: MessageSigner };
}

/** Seals what a workspace has so far, as the sealer would; fails the test when it refuses or raises an alert. */
export async function sealLog(parts: Parts, workspaceId: string): Promise<SealOutcome> {
  const staged = new Map<string, Uint8Array>();
  const staging: StagingArea = {
    put: async (key, bytes) => void staged.set(key, bytes),
    read: async (key) => staged.get(key),
  };
  const alerts = {
    raise: async ({ kind, subject }: Alert) => {
      throw new Error(`Sealing raised the alert ${kind}: ${subject}.`);
    },
  };
  const outcome = await sealWorkspace({ ...parts, ...parts.log, staging, alerts }, workspaceId, {
    force: true,
  });
  if (outcome.status === 'refused') throw new Error(`The sealer refused: ${outcome.reason}.`);
  return outcome;
}

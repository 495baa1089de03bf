import { type FieldError, VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Random } from '../kernel/ports.ts';
import { CopyRefused, type CustomerSecrets } from './customer-secrets.ts';
import { BOOTSTRAP, copyName, copyPrefix, type SyncSite, type SyncTarget } from './secrets-sync.ts';

export interface ProofParts {
  readonly customerSecrets: CustomerSecrets;
  readonly syncSite: SyncSite;
  readonly random: Random;
}

/** Nothing has it: the proof only asks whether it may look. */
const PROBE = copyName({ namespace: BOOTSTRAP, name: '.lockzero-proof' });

/**
 * Proves that a role lets the vault in for this workspace, and for no other: neither without an external id, nor with
 * another workspace's. A role that trusts whatever the vault sends would write for any tenant that names it.
 *
 * @throws VaultError `receiver_refused` with all that was found; `unavailable` where nobody can tell.
 */
export async function proveRole(
  parts: ProofParts,
  target: SyncTarget & { readonly roleArn: string },
): Promise<void> {
  const { customerSecrets, random } = parts;
  const { roleArn } = target;
  const errors = [
    await entryFault(parts, target),
    (await customerSecrets.letsIn(roleArn, undefined))
      ? fault(
          'lets the vault in without an external id: demand sts:ExternalId with StringEquals in its trust policy',
        )
      : undefined,
    (await customerSecrets.letsIn(roleArn, newId('ws', random)))
      ? fault(
          "lets the vault in with another workspace's external id: its trust policy must demand exactly this workspace's id",
        )
      : undefined,
  ].filter((error) => error !== undefined);
  if (errors.length === 0) return;
  throw new VaultError(
    'receiver_refused',
    'The role cannot be used as it is. See "errors" for what to change, and GET /workspace/secrets-sync for its policies.',
    { errors },
  );
}

async function entryFault(
  { customerSecrets, syncSite }: ProofParts,
  target: SyncTarget,
): Promise<FieldError | undefined> {
  try {
    const account = await customerSecrets.open(target);
    try {
      await account.look(`${copyPrefix(syncSite, target.workspaceId)}${PROBE}`);
    } finally {
      account.close();
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof CopyRefused) || error.fault === 'unavailable') throw error;
    return error.fault === 'role_refused'
      ? fault(
          'does not let the vault in: is it there, and does its trust policy name the roles of the vault and the external id of this workspace?',
        )
      : fault(
          'lets the vault in, but not to the names of this workspace in Secrets Manager: attach the permissions policy',
        );
  }
}

function fault(reason: string): FieldError {
  return { path: 'roleArn', reason };
}

import * as z from 'zod';
import { bringKey } from '../../../core/encryption-keys/bring-key.ts';
import type { EncryptionKeyStatus } from '../../../core/encryption-keys/encryption-key-parts.ts';
import { getEncryptionKey } from '../../../core/encryption-keys/get-encryption-key.ts';
import { retirePreviousKeys } from '../../../core/encryption-keys/retire-previous-keys.ts';
import { returnToVaultKey } from '../../../core/encryption-keys/return-to-vault-key.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { guarded } from '../http/route.ts';
import { encryptionKeyView, viewEncryptionKey } from './encryption-key-views.ts';

/** Whether it is an ARN, and one of a key that can be used, is told together with all else that is wrong with it. */
const keyArn = z.string().min(1, 'must not be empty').max(256, 'must have at most 256 characters');

const described = (description: string) => [{ status: 200, description, schema: encryptionKeyView }];

async function answer(vault: Vault, status: Promise<EncryptionKeyStatus>) {
  return { status: 200, json: viewEncryptionKey(vault, await status) };
}

export const encryptionKeyRoutes = [
  guarded({
    method: 'GET',
    path: '/workspace/encryption-key',
    summary:
      'Which key wraps the values of the workspace, whether it can be used right now, how far a migration is, and what the policy of a key of its own has to say',
    permission: 'encryption_key:read',
    action: 'encryption_key.read',
    responses: described('The key; "usable" is null when the key service does not answer'),
    handle: (_, context, vault) => answer(vault, getEncryptionKey(vault, context)),
  }),
  guarded({
    method: 'PUT',
    path: '/workspace/encryption-key',
    summary:
      "Has a key of the customer wrap the workspace's values, if it passes every trial: new ones at once, the others as a job moves them",
    permission: 'encryption_key:manage',
    action: 'encryption_key.changed',
    body: z.strictObject({ keyArn }),
    responses: described(
      'The key as it is now; a key that is refused answers 422 with a reason for each fault',
    ),
    handle: ({ body }, context, vault) => answer(vault, bringKey(vault, context, body)),
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/encryption-key',
    summary: "Returns to the vault's own key: new values at once, the others as a job moves them",
    permission: 'encryption_key:manage',
    action: 'encryption_key.changed',
    responses: described('The key as it is now'),
    handle: (_, context, vault) => answer(vault, returnToVaultKey(vault, context)),
  }),
  guarded({
    method: 'DELETE',
    path: '/workspace/encryption-key/previous',
    summary: 'Gives the earlier keys up, once nothing lies under them; from then on they may be disabled',
    permission: 'encryption_key:manage',
    action: 'encryption_key.previous_retired',
    responses: described('The key, with no earlier ones'),
    handle: (_, context, vault) => answer(vault, retirePreviousKeys(vault, context)),
  }),
];

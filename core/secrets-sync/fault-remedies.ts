import type { SyncFault } from './customer-secrets.ts';

const REMEDIES: Record<SyncFault, string> = {
  role_refused:
    'Check that the role exists and that its trust policy is that of GET /workspace/secrets-sync.',
  account_not_allowed: 'Ask the operator of the vault to list the account again, or set another role.',
  access_denied: 'Attach the permissions policy of GET /workspace/secrets-sync to the role.',
  copy_key_refused: 'Enable the KMS key that the copy lies under, and let the role use it.',
  quota_exceeded: 'Raise the quota of Secrets Manager in the account, or change the secret less often.',
  name_taken: 'Delete or rename what has the name of the copy there: the vault never overwrites it.',
  changed_meanwhile: 'Look who else writes to the copy there: nothing but the vault should.',
  request_refused: 'Secrets Manager takes no empty value, and no copy that is replicated or rotated there.',
  unavailable: 'It goes on by itself once the services answer.',
  key_unavailable: 'Enable the encryption key of the workspace again.',
  value_damaged: 'Tell the operator of the vault: a stored value does not open.',
};

/** What to do about a fault: one sentence for a person. */
export function remedyFor(fault: SyncFault): string {
  return REMEDIES[fault];
}

import type { KeyUsers } from './customer-keys.ts';
import { placeOf } from './key-arn.ts';

type Condition = { readonly [operator: string]: { readonly [key: string]: string | readonly string[] } };

/** A statement of a key policy (IAM User Guide, "IAM JSON policy element reference"). */
export interface KeyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal: { readonly AWS: string };
  readonly Action: readonly string[];
  /** In a key policy: this key. */
  readonly Resource: '*';
  readonly Condition: Condition;
}

const CONTEXT_KEYS = ['secretId', 'version', 'workspaceId'] as const;

/**
 * What the policy of a workspace's key has to say for the vault to use it, and no more: four statements, each for roles
 * by their names, and all but the last in the encryption context of a version of a secret of this workspace alone. Another
 * workspace of the same vault can therefore not use the key, whoever asks for it there. The vault calls KMS directly, so
 * none has a condition on `kms:ViaService`.
 *
 * The principal is the vault's account, narrowed by `aws:PrincipalArn`: a role named as the principal would be stored by
 * its internal id, and lost when the vault is deployed anew (IAM User Guide, "Principal", IAM role principals).
 *
 * @param vaultKeyArn any key of the vault's own: it says in which account the vault is.
 */
export function keyPolicyStatements(
  workspaceId: string,
  vaultKeyArn: string,
  { api, rewrapper, syncer }: KeyUsers,
): readonly KeyStatement[] {
  const { partition, accountId } = placeOf(vaultKeyArn);
  const allow = (
    sid: string,
    roles: readonly string[],
    actions: readonly string[],
    condition: Condition = {},
  ): KeyStatement => ({
    Sid: sid,
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
    Action: actions,
    Resource: '*',
    Condition: { ArnEquals: { 'aws:PrincipalArn': [...new Set(roles)] }, ...condition },
  });
  const inContext = contextOf(workspaceId);
  return [
    allow('LockzeroOpensAndSeals', [api], ['kms:Decrypt', 'kms:GenerateDataKey'], inContext),
    allow('LockzeroMovesValues', [api, rewrapper], ['kms:ReEncryptFrom', 'kms:ReEncryptTo'], inContext),
    allow('LockzeroSyncsSecrets', [syncer], ['kms:Decrypt'], inContext),
    allow('LockzeroLooksAtKey', [api], ['kms:DescribeKey']),
  ];
}

/** Exactly the three, of this workspace. `ForAllValues` also holds for no context at all; the others make each a must. */
function contextOf(workspaceId: string): Condition {
  return {
    StringEquals: { 'kms:EncryptionContext:workspaceId': workspaceId },
    'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': CONTEXT_KEYS },
    Null: { 'kms:EncryptionContext:secretId': 'false', 'kms:EncryptionContext:version': 'false' },
  };
}

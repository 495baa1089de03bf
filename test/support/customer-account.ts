import { CreateKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import type { KeyUsers } from '../../core/encryption-keys/customer-keys.ts';
import { keyPolicyStatements } from '../../core/encryption-keys/key-policy.ts';
import { cloudFormationTemplate } from '../../core/encryption-keys/key-template.ts';

/** The policy that a key gets when a template is deployed in an account, as JSON. */
export function policyOfTemplate(template: string, accountId: string): string {
  const { KeyPolicy: policy } = JSON.parse(template).Resources.Key.Properties;
  const filled = JSON.stringify(policy).replaceAll(/\{"Fn::Sub":"([^"]*)"\}/g, (_, text: string) =>
    JSON.stringify(
      text.replaceAll(/\$\{AWS::(\w+)\}/g, (_pseudo, name) => (name === 'AccountId' ? accountId : 'aws')),
    ),
  );
  if (filled.includes('Fn::'))
    throw new Error('The policy has something that CloudFormation alone can fill in.');
  return filled;
}

/** Makes a key with the policy that the vault hands out, in the account that this client is of; gives its ARN. */
export async function makeCustomerKey(
  kms: KMSClient,
  accountId: string,
  { workspaceId, vaultKeyArn, users }: { workspaceId: string; vaultKeyArn: string; users: KeyUsers },
): Promise<string> {
  const template = cloudFormationTemplate(workspaceId, keyPolicyStatements(workspaceId, vaultKeyArn, users));
  const command = new CreateKeyCommand({ Policy: policyOfTemplate(template, accountId) });
  return (await kms.send(command)).KeyMetadata?.Arn ?? '';
}

import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import type { DevConfig } from './dev-config.ts';
import { customerAccessKey } from './kms/caller.ts';

/** A customer's own account at the key service, with which the vault has nothing to do. */
export interface CustomerAccount {
  /**
   * Makes a key that its account manages, and with which anybody else may do what the statements say; its account opens
   * nothing with it. Gives the ARN.
   */
  createKey(statements: readonly unknown[], isMultiRegion?: boolean): Promise<string>;
  /** Puts other statements beside those of the account. */
  changeStatements(keyArn: string, statements: readonly unknown[]): Promise<void>;
  disable(keyArn: string): Promise<void>;
  enable(keyArn: string): Promise<void>;
  /** Gives the time of the deletion, seven days from now. */
  scheduleDeletion(keyArn: string): Promise<Date>;
  /** The key is disabled afterwards. */
  cancelDeletion(keyArn: string): Promise<void>;
  close(): void;
}

/** What the account does with its key, as far as the stand-in has it; nothing of it opens a value. */
const ADMINISTRATION = [
  'kms:CancelKeyDeletion',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:EnableKey',
  'kms:GetKeyPolicy',
  'kms:PutKeyPolicy',
  'kms:ScheduleKeyDeletion',
];
const DELETION_DAYS = 7;

/** The account at the key service of a laptop run, and at no other. */
export function openCustomerAccount(
  { region, kmsEndpoint }: Pick<DevConfig['aws'], 'region' | 'kmsEndpoint'>,
  accountId: string,
): CustomerAccount {
  const credentials = { accessKeyId: customerAccessKey(accountId), secretAccessKey: 'none' };
  const client = new KMSClient({ region, credentials, endpoint: kmsEndpoint, maxAttempts: 1 });
  const policyWith = (statements: readonly unknown[]): string => {
    const administration = {
      Sid: 'AccountManagesKey',
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: ADMINISTRATION,
      Resource: '*',
    };
    return JSON.stringify({ Version: '2012-10-17', Statement: [administration, ...statements] });
  };
  return {
    async createKey(statements, isMultiRegion = false) {
      const command = new CreateKeyCommand({ Policy: policyWith(statements), MultiRegion: isMultiRegion });
      const { KeyMetadata: key } = await client.send(command);
      if (key?.Arn === undefined) throw new Error('The key service made a key without an ARN.');
      return key.Arn;
    },
    async changeStatements(KeyId, statements) {
      await client.send(new PutKeyPolicyCommand({ KeyId, Policy: policyWith(statements) }));
    },
    async disable(KeyId) {
      await client.send(new DisableKeyCommand({ KeyId }));
    },
    async enable(KeyId) {
      await client.send(new EnableKeyCommand({ KeyId }));
    },
    async scheduleDeletion(KeyId) {
      const command = new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: DELETION_DAYS });
      const { DeletionDate: date } = await client.send(command);
      if (date === undefined) throw new Error('The key service does not say when the key is deleted.');
      return date;
    },
    async cancelDeletion(KeyId) {
      await client.send(new CancelKeyDeletionCommand({ KeyId }));
    },
    close: () => client.destroy(),
  };
}

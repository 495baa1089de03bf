import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms';
import { recordKeyCalls } from '../../../local/cloudtrail/record-key-calls.ts';
import type { TrailRecord } from '../../../local/cloudtrail/trail-writer.ts';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { defaultPolicy } from '../../../local/kms/policy.ts';
import { serveStandIns } from './serve-stand-ins.ts';

const region = 'eu-central-1';
const accountId = '000000000000';
const CUSTOMER = '111122223333';
const context = { workspaceId: 'ws_1', secretId: 'sec_1', version: '1' };
const EVERYBODY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
});

const folder = mkdtempSync(join(tmpdir(), 'key-calls-'));
let records: TrailRecord[] = [];
let server: Awaited<ReturnType<typeof serveStandIns>>;
let vault: KMSClient;
let customer: KMSClient;
/** Of the vault and of the customer; each lets everybody in. */
let own: string;
let foreign: string;

beforeAll(async () => {
  const shared = { region, accountId, now: () => Date.parse('2026-03-10T12:00:00.700Z') };
  const kms = createKms({ ...shared, file: join(folder, 'keys.json') });
  const trail = { record: (record: TrailRecord) => records.push(record) };
  server = await serveStandIns({
    '/_aws/kms': recordKeyCalls(kms, { ...shared, trail, roleName: 'lockzero-local-api' }),
  });
  const as = (accessKeyId: string) =>
    new KMSClient({
      region,
      credentials: { accessKeyId, secretAccessKey: 'any' },
      endpoint: `${server.url}/_aws/kms`,
      maxAttempts: 1,
    });
  [vault, customer] = [as('local'), as(customerAccessKey(CUSTOMER))];
  [own, foreign] = [await createKey(vault), await createKey(customer)];
});
afterAll(async () => {
  for (const client of [vault, customer]) client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  records = [];
});

async function createKey(client: KMSClient): Promise<string> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({ Policy: EVERYBODY }));
  return KeyMetadata?.Arn ?? '';
}

async function wrapped(KeyId: string): Promise<Uint8Array> {
  const command = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: context });
  return (await vault.send(command)).CiphertextBlob ?? new Uint8Array();
}

function decrypt(client: KMSClient, KeyId: string, CiphertextBlob: Uint8Array) {
  return client.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: context }));
}

function resource(arn: string) {
  return { accountId: arn.split(':')[4], type: 'AWS::KMS::Key', ARN: arn };
}

it('a ReEncrypt to a key of another account: both keys with their accounts, both contexts, no ciphertext', async () => {
  const CiphertextBlob = await wrapped(own);
  await vault.send(
    new ReEncryptCommand({
      CiphertextBlob,
      SourceKeyId: own,
      SourceEncryptionContext: context,
      DestinationKeyId: foreign,
      DestinationEncryptionContext: { ...context, version: '2' },
    }),
  );
  expect(records).toEqual([
    {
      eventVersion: '1.11',
      eventID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      eventTime: '2026-03-10T12:00:00Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'ReEncrypt',
      eventType: 'AwsApiCall',
      eventCategory: 'Management',
      managementEvent: true,
      readOnly: true,
      awsRegion: region,
      recipientAccountId: accountId,
      userIdentity: {
        type: 'AssumedRole',
        arn: `arn:aws:sts::${accountId}:assumed-role/lockzero-local-api/local`,
        accountId,
        accessKeyId: 'local',
        sessionContext: {
          sessionIssuer: {
            type: 'Role',
            arn: `arn:aws:iam::${accountId}:role/lockzero-local-api`,
            accountId,
            userName: 'lockzero-local-api',
          },
        },
      },
      requestParameters: {
        sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        sourceKeyId: own,
        sourceEncryptionContext: context,
        destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        destinationKeyId: foreign,
        destinationEncryptionContext: { ...context, version: '2' },
      },
      responseElements: null,
      resources: [resource(own), resource(foreign)],
    },
  ]);
});

it('a Decrypt on the key of another account, and one that was refused there', async () => {
  const blob = await wrapped(foreign);
  await decrypt(vault, foreign, blob);
  const Policy = defaultPolicy(CUSTOMER);
  await customer.send(new PutKeyPolicyCommand({ KeyId: foreign, Policy }));
  await expect(decrypt(vault, foreign, blob)).rejects.toThrow();
  await customer.send(new PutKeyPolicyCommand({ KeyId: foreign, Policy: EVERYBODY }));
  const call = {
    eventName: 'Decrypt',
    recipientAccountId: accountId,
    requestParameters: { keyId: foreign, encryptionContext: context },
    resources: [resource(foreign)],
  };
  expect(records).toMatchObject([
    call,
    { ...call, errorCode: 'AccessDenied', errorMessage: expect.stringContaining('kms:Decrypt') },
  ]);
  expect(records[0]).not.toHaveProperty('errorCode');
});

it('what another account did with a key of this one, by no more than its number', async () => {
  await decrypt(customer, own, await wrapped(own));
  expect(records).toMatchObject([
    {
      eventName: 'Decrypt',
      recipientAccountId: accountId,
      userIdentity: { type: 'AWSAccount', accountId: CUSTOMER },
      resources: [resource(own)],
    },
  ]);
  expect(records[0]?.['userIdentity']).not.toHaveProperty('arn');
});

it('nothing of what another account did with its own key, or was refused on this one’s', async () => {
  await decrypt(customer, foreign, await wrapped(foreign));
  const closed = (await vault.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? '';
  await expect(decrypt(customer, closed, await wrapped(closed))).rejects.toThrow();
  expect(records).toEqual([]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
} from '@aws-sdk/client-kms';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { defaultPolicy } from '../../../local/kms/policy.ts';
import { serveStandIns } from './serve-stand-ins.ts';

const region = 'eu-central-1';
const VAULT = '000000000000';
const CUSTOMER = '111122223333';
const ROLE = `arn:aws:iam::${VAULT}:role/lockzero-local-api`;
const SESSION = `arn:aws:sts::${VAULT}:assumed-role/lockzero-local-api/local`;
const context = { workspaceId: 'ws_1', secretId: 'sec_1', version: '1' };
/** What AWS says of a key in another account, whether there is one or not. */
const FOREIGN =
  'because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access';

type Context = Record<string, string>;

const folder = mkdtempSync(join(tmpdir(), 'kms-policies-'));
let server: Awaited<ReturnType<typeof serveStandIns>>;
const clients: KMSClient[] = [];
let vault: KMSClient;
let insider: KMSClient;
let customer: KMSClient;
let stranger: KMSClient;
let vaultKey: string;

beforeAll(async () => {
  const standIn = createKms({ file: join(folder, 'keys.json'), now: () => 0, region, accountId: VAULT });
  server = await serveStandIns({ '/_aws/kms': standIn });
  const as = (accessKeyId: string): KMSClient => {
    const credentials = { accessKeyId, secretAccessKey: 'any' };
    const client = new KMSClient({
      region,
      credentials,
      endpoint: `${server.url}/_aws/kms`,
      maxAttempts: 1,
    });
    clients.push(client);
    return client;
  };
  vault = as('local');
  insider = as('insider');
  customer = as(customerAccessKey(CUSTOMER));
  stranger = as(customerAccessKey('444455556666'));
  vaultKey = await createKey(vault, {});
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

const ADMINISTRATION = {
  Sid: 'AccountManagesKey',
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${CUSTOMER}:root` },
  Action: [
    'kms:CancelKeyDeletion',
    'kms:DescribeKey',
    'kms:DisableKey',
    'kms:EnableKey',
    'kms:GetKeyPolicy',
    'kms:PutKeyPolicy',
    'kms:ScheduleKeyDeletion',
  ],
  Resource: '*',
};

function policyOf(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [ADMINISTRATION, ...statements] });
}

/** What the vault hands out to the customer. */
function vaultStatements(role = ROLE): readonly object[] {
  return keyPolicyStatements('ws_1', vaultKey, { api: role, rewrapper: role, syncer: role });
}

async function createKey(client: KMSClient, input: CreateKeyCommandInput): Promise<string> {
  return (await client.send(new CreateKeyCommand(input))).KeyMetadata?.Arn ?? '';
}

/** A key of the customer's with which the vault may work in the workspace ws_1. */
function customersKey(input: CreateKeyCommandInput = {}): Promise<string> {
  return createKey(customer, { Policy: policyOf(...vaultStatements()), ...input });
}

async function wrap(client: KMSClient, KeyId: string, EncryptionContext: Context = context) {
  const command = new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext });
  const { Plaintext: plaintext, CiphertextBlob: blob = new Uint8Array() } = await client.send(command);
  return { plaintext, blob };
}

function decrypt(client: KMSClient, CiphertextBlob: Uint8Array, KeyId?: string, other: Context = context) {
  const input = { CiphertextBlob, EncryptionContext: other, ...(KeyId === undefined ? {} : { KeyId }) };
  return client.send(new DecryptCommand(input));
}

function move(
  client: KMSClient,
  CiphertextBlob: Uint8Array,
  from: string,
  to: string,
  { source = context, destination = context }: { source?: Context; destination?: Context } = {},
) {
  return client.send(
    new ReEncryptCommand({
      CiphertextBlob,
      SourceKeyId: from,
      SourceEncryptionContext: source,
      DestinationKeyId: to,
      DestinationEncryptionContext: destination,
    }),
  );
}

const put = (KeyId: string, Policy: string, client = customer, more = {}) =>
  client.send(new PutKeyPolicyCommand({ KeyId, Policy, ...more }));

const denied = (action: string, who = SESSION, reason = `on this resource ${FOREIGN}`) => ({
  name: 'AccessDeniedException',
  message: `User: ${who} is not authorized to perform: kms:${action} ${reason}`,
});

describe('a key of a customer’s, with the statements that the vault hands out', () => {
  it('wraps, opens, and takes and gives what another key wrapped, in the context of a value', async () => {
    const keyArn = await customersKey();
    const made = await wrap(vault, keyArn);
    expect((await decrypt(vault, made.blob, keyArn)).Plaintext).toEqual(made.plaintext);
    expect((await decrypt(vault, made.blob)).KeyId).toBe(keyArn);

    const back = await move(vault, made.blob, keyArn, vaultKey);
    expect(back).toMatchObject({ SourceKeyId: keyArn, KeyId: vaultKey });
    const forth = await move(vault, back.CiphertextBlob ?? new Uint8Array(), vaultKey, keyArn);
    const opened = await decrypt(vault, forth.CiphertextBlob ?? new Uint8Array(), keyArn);
    expect(opened.Plaintext).toEqual(made.plaintext);
  });

  it.each<[string, Context]>([
    ['none', {}],
    ['that of another workspace', { ...context, workspaceId: 'ws_2' }],
    ['one with an additional member', { ...context, purpose: 'backup' }],
    ['one with a member in another case', { ...context, WorkspaceId: 'ws_1' }],
    ['one without a version', { workspaceId: 'ws_1', secretId: 'sec_1' }],
    ['one without a workspace', { secretId: 'sec_1', version: '1' }],
  ])('refuses every context but that of a value of its workspace: %s', async (_, other) => {
    const keyArn = await customersKey();
    await expect(wrap(vault, keyArn, other)).rejects.toMatchObject(denied('GenerateDataKey'));
    const { blob } = await wrap(vault, keyArn);
    await expect(decrypt(vault, blob, keyArn, other)).rejects.toMatchObject(denied('Decrypt'));
    const { blob: own } = await wrap(vault, vaultKey);
    const movingIn = move(vault, own, vaultKey, keyArn, { destination: other });
    await expect(movingIn).rejects.toMatchObject(denied('ReEncryptTo'));
    const movingOut = move(vault, blob, keyArn, vaultKey, { source: other });
    await expect(movingOut).rejects.toMatchObject(denied('ReEncryptFrom'));
  });

  it('opens for nobody else: not for others in the vault’s account, nor its own, nor a third', async () => {
    const keyArn = await customersKey();
    const { blob } = await wrap(vault, keyArn);
    const user = `arn:aws:iam::${VAULT}:user/insider`;
    await expect(decrypt(insider, blob, keyArn)).rejects.toMatchObject(denied('Decrypt', user));
    await expect(decrypt(stranger, blob, keyArn)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const root = `arn:aws:iam::${CUSTOMER}:root`;
    await expect(decrypt(customer, blob, keyArn)).rejects.toMatchObject(
      denied(
        'Decrypt',
        root,
        'on this resource because no resource-based policy allows the kms:Decrypt action',
      ),
    );
  });

  it('opens for no other role than the one that is named', async () => {
    const Policy = policyOf(...vaultStatements(`${ROLE}-2`));
    const keyArn = await createKey(customer, { Policy });
    await expect(wrap(vault, keyArn)).rejects.toMatchObject(denied('GenerateDataKey'));
  });

  it('does not let the vault sign with it, or manage it', async () => {
    const KeyId = await customersKey();
    const policy = { KeyId, Policy: defaultPolicy(VAULT) };
    for (const refused of [
      vault.send(new SignCommand({ KeyId, Message: Buffer.from('a'), SigningAlgorithm: 'ED25519_SHA_512' })),
      vault.send(new GetKeyPolicyCommand({ KeyId })),
      vault.send(new PutKeyPolicyCommand(policy)),
      vault.send(new DisableKeyCommand({ KeyId })),
      vault.send(new EnableKeyCommand({ KeyId })),
      vault.send(new ScheduleKeyDeletionCommand({ KeyId })),
      vault.send(new CancelKeyDeletionCommand({ KeyId })),
    ]) {
      await expect(refused).rejects.toMatchObject({ name: 'AccessDeniedException' });
    }
    await wrap(vault, KeyId);
  });

  it('is lost to the vault once the policy has no statement for it, and comes back with it', async () => {
    const keyArn = await customersKey();
    const { blob, plaintext } = await wrap(vault, keyArn);
    await put(keyArn, policyOf());
    await expect(wrap(vault, keyArn)).rejects.toMatchObject(denied('GenerateDataKey'));
    await expect(decrypt(vault, blob, keyArn)).rejects.toMatchObject(denied('Decrypt'));
    await expect(decrypt(vault, blob)).rejects.toMatchObject(
      denied('Decrypt', SESSION, `on the resource associated with this ciphertext ${FOREIGN}`),
    );
    await expect(move(vault, blob, keyArn, vaultKey)).rejects.toMatchObject(denied('ReEncryptFrom'));
    const describing = vault.send(new DescribeKeyCommand({ KeyId: keyArn }));
    await expect(describing).rejects.toMatchObject(denied('DescribeKey'));
    await put(keyArn, policyOf(...vaultStatements()));
    expect((await decrypt(vault, blob, keyArn)).Plaintext).toEqual(plaintext);
  });

  it('is disabled by its owner, who alone enables it', async () => {
    const KeyId = await customersKey();
    const { blob, plaintext } = await wrap(vault, KeyId);
    await customer.send(new DisableKeyCommand({ KeyId }));
    await expect(decrypt(vault, blob, KeyId)).rejects.toMatchObject({ name: 'DisabledException' });
    await expect(move(vault, blob, KeyId, vaultKey)).rejects.toMatchObject({ name: 'DisabledException' });
    // Whom the policy shuts out does not learn that either.
    await expect(decrypt(insider, blob, KeyId)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    const { KeyMetadata } = await vault.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false });
    await customer.send(new EnableKeyCommand({ KeyId }));
    expect((await decrypt(vault, blob, KeyId)).Plaintext).toEqual(plaintext);
  });

  it('is scheduled for deletion, saved, and enabled again', async () => {
    const KeyId = await customersKey();
    const { blob, plaintext } = await wrap(vault, KeyId);
    await customer.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    const pending = { name: 'KMSInvalidStateException', message: `${KeyId} is pending deletion.` };
    await expect(decrypt(vault, blob, KeyId)).rejects.toMatchObject(pending);
    await expect(move(vault, blob, KeyId, vaultKey)).rejects.toMatchObject(pending);
    await customer.send(new CancelKeyDeletionCommand({ KeyId }));
    await expect(decrypt(vault, blob, KeyId)).rejects.toMatchObject({ name: 'DisabledException' });
    await customer.send(new EnableKeyCommand({ KeyId }));
    expect((await decrypt(vault, blob, KeyId)).Plaintext).toEqual(plaintext);
  });

  it('is found by its ARN only, and tells the vault what it is', async () => {
    const KeyId = await customersKey({ Description: 'brought along' });
    const { KeyMetadata } = await vault.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({
      Arn: KeyId,
      AWSAccountId: CUSTOMER,
      Description: 'brought along',
      Enabled: true,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    });
    await expect(wrap(vault, KeyId.slice(-36))).rejects.toMatchObject({ name: 'NotFoundException' });
    const own = await customer.send(new DescribeKeyCommand({ KeyId: KeyId.slice(-36) }));
    expect(own.KeyMetadata?.Arn).toBe(KeyId);
  });

  it('is refused in the same words as one that does not exist', async () => {
    const absent = `arn:aws:kms:${region}:${CUSTOMER}:key/00000000-0000-4000-8000-000000000000`;
    const closed = await createKey(customer, {});
    for (const keyArn of [absent, closed]) {
      await expect(wrap(vault, keyArn)).rejects.toMatchObject(denied('GenerateDataKey'));
      const describing = vault.send(new DescribeKeyCommand({ KeyId: keyArn }));
      await expect(describing).rejects.toMatchObject(denied('DescribeKey'));
    }
  });
});

describe('ReEncrypt', () => {
  const only = (Action: string) => ({ Effect: 'Allow', Principal: { AWS: VAULT }, Action, Resource: '*' });

  it('needs the one permission of the source and the other of the destination', async () => {
    const all = await customersKey();
    const taking = await createKey(customer, { Policy: policyOf(only('kms:ReEncryptTo')) });
    const giving = await createKey(customer, {
      Policy: policyOf(only('kms:GenerateDataKey'), only('kms:ReEncryptFrom')),
    });
    const { blob } = await wrap(vault, all);
    const moved = await move(vault, blob, all, taking);
    const stuck = moved.CiphertextBlob ?? new Uint8Array();
    await expect(move(vault, stuck, taking, all)).rejects.toMatchObject(denied('ReEncryptFrom'));
    const { blob: given } = await wrap(vault, giving);
    await move(vault, given, giving, all);
    await expect(move(vault, blob, all, giving)).rejects.toMatchObject(denied('ReEncryptTo'));
  });
});

describe('policies', () => {
  it('are those that were put; a key made without one has the default one', async () => {
    const [standard, own] = [await createKey(customer, {}), await customersKey()];
    const read = (KeyId: string) => customer.send(new GetKeyPolicyCommand({ KeyId }));
    expect(await read(standard)).toMatchObject({ Policy: defaultPolicy(CUSTOMER), PolicyName: 'default' });
    expect((await read(own)).Policy).toBe(policyOf(...vaultStatements()));
    await put(own, policyOf(), customer, { PolicyName: 'default' });
    expect((await read(own)).Policy).toBe(policyOf());
  });

  it('have one name', async () => {
    const KeyId = await createKey(customer, {});
    const refused = { name: 'NotFoundException', message: 'No such policy exists' };
    const named = { KeyId, PolicyName: 'other' };
    await expect(customer.send(new GetKeyPolicyCommand(named))).rejects.toMatchObject(refused);
    await expect(put(KeyId, policyOf(), customer, named)).rejects.toMatchObject(refused);
  });

  it('that are malformed, or by which their author shuts themselves out, change nothing', async () => {
    const KeyId = await customersKey();
    const malformed = { name: 'MalformedPolicyDocumentException' };
    const without = JSON.stringify({ Version: '2012-10-17', Statement: vaultStatements() });
    for (const policy of ['{}', without]) {
      await expect(put(KeyId, policy)).rejects.toMatchObject(malformed);
      await expect(customersKey({ Policy: policy })).rejects.toMatchObject(malformed);
    }
    expect((await customer.send(new GetKeyPolicyCommand({ KeyId }))).Policy).toBe(
      policyOf(...vaultStatements()),
    );
    await put(KeyId, without, customer, { BypassPolicyLockoutSafetyCheck: true });
    await expect(put(KeyId, policyOf())).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await wrap(vault, KeyId);
  });

  it('deny in the words of AWS, within an account too', async () => {
    const allow = { Effect: 'Allow', Principal: { AWS: VAULT }, Action: 'kms:*', Resource: '*' };
    const deny = { ...allow, Effect: 'Deny', Action: 'kms:Decrypt' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow, deny] });
    const keyArn = await createKey(vault, { Policy });
    const { blob } = await wrap(vault, keyArn);
    const reason = 'with an explicit deny in a resource-based policy';
    await expect(decrypt(vault, blob, keyArn)).rejects.toMatchObject(
      denied('Decrypt', SESSION, `on this resource ${reason}`),
    );
  });

  it('let nobody from another account manage a key, whatever they say', async () => {
    const everybody = { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' };
    const KeyId = await customersKey({ Policy: policyOf(everybody) });
    await wrap(stranger, KeyId);
    const stopping = stranger.send(new DisableKeyCommand({ KeyId }));
    await expect(stopping).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test('an account lists its own keys', async () => {
  const keyArn = await customersKey();
  const listed = async (client: KMSClient) =>
    (await client.send(new ListKeysCommand({}))).Keys?.map(({ KeyArn }) => KeyArn);
  expect(await listed(customer)).toContain(keyArn);
  expect(await listed(vault)).not.toContain(keyArn);
  expect(await listed(vault)).toContain(vaultKey);
});

test('a multi-Region key says so, and works like any other', async () => {
  const KeyId = await customersKey({ MultiRegion: true });
  expect(KeyId).toMatch(/^arn:aws:kms:eu-central-1:111122223333:key\/mrk-[0-9a-f]{32}$/);
  const { KeyMetadata } = await vault.send(new DescribeKeyCommand({ KeyId }));
  expect(KeyMetadata).toMatchObject({
    KeyId: KeyId.slice(KeyId.indexOf('mrk-')),
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: { Arn: KeyId, Region: region },
      ReplicaKeys: [],
    },
  });
  const { blob, plaintext } = await wrap(vault, KeyId);
  expect((await decrypt(vault, blob)).Plaintext).toEqual(plaintext);
  expect((await decrypt(vault, blob, KeyId)).KeyId).toBe(KeyId);
});

test('keys whose material comes from elsewhere are refused by name', async () => {
  await expect(createKey(customer, { Origin: 'EXTERNAL' })).rejects.toMatchObject({
    name: 'UnsupportedOperationException',
  });
});

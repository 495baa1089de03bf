import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  KMSClient,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { createKmsKeyInspector } from '../../../aws/kms-key-inspector.ts';
import { createKmsKeys } from '../../../aws/kms-keys.ts';
import { bringKey } from '../../../core/encryption-keys/bring-key.ts';
import { keyPolicyStatements } from '../../../core/encryption-keys/key-policy.ts';
import { cloudFormationTemplate } from '../../../core/encryption-keys/key-template.ts';
import { returnToVaultKey } from '../../../core/encryption-keys/return-to-vault-key.ts';
import type { VaultError } from '../../../core/kernel/errors.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createKms } from '../../../local/kms/kms.ts';
import { policyOfTemplate } from '../../support/customer-account.ts';
import { owningPerson } from '../../support/encryption-key-route-cases.ts';
import { CUSTOMER_ACCOUNT, CUSTOMER_KEYS } from '../../support/memory-customer-keys.ts';
import { keysOfDeployment } from '../../support/memory-keys.ts';
import { installedVault, rowsOf } from '../../support/memory-vault.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const region = 'us-east-1';
const ABSENT = `arn:aws:kms:${region}:${CUSTOMER_ACCOUNT}:key/00000000-0000-4000-8000-000000000000`;

describe('on the wire', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-key-inspector-'));
  let server: Awaited<ReturnType<typeof serveStandIns>>;
  let vaultKms: KMSClient;
  let customerKms: KMSClient;
  let vaultKeyArn: string;

  beforeAll(async () => {
    const standIn = createKms({
      file: join(folder, 'keys.json'),
      now: () => 0,
      region,
      accountId: '000000000000',
      roleName: CUSTOMER_KEYS.users.api.split('/')[1] ?? '',
    });
    server = await serveStandIns({ '/_aws/kms': standIn });
    const endpoint = `${server.url}/_aws/kms`;
    const clientOf = (accessKeyId: string) =>
      new KMSClient({ region, credentials: { ...credentials, accessKeyId }, endpoint, maxAttempts: 1 });
    vaultKms = clientOf(credentials.accessKeyId);
    customerKms = clientOf(customerAccessKey(CUSTOMER_ACCOUNT));
    vaultKeyArn = await newKey(vaultKms, {});
  });
  afterAll(async () => {
    vaultKms.destroy();
    customerKms.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  async function newKey(kms: KMSClient, input: CreateKeyCommandInput): Promise<string> {
    return (await kms.send(new CreateKeyCommand(input))).KeyMetadata?.Arn ?? '';
  }

  /** The policy that a key gets from the template that the vault hands out for a workspace. */
  function policyFor(workspaceId: string): string {
    const statements = keyPolicyStatements(workspaceId, vaultKeyArn, CUSTOMER_KEYS.users);
    return policyOfTemplate(cloudFormationTemplate(workspaceId, statements), CUSTOMER_ACCOUNT);
  }

  /** A vault whose key service is the stand-in. */
  async function world() {
    const { vault, installed } = await installedVault();
    const { workspaceId } = installed;
    const parts = {
      ...vault,
      deploymentKeys: keysOfDeployment(vaultKeyArn),
      keys: createKmsKeys(vaultKms),
      keyInspector: createKmsKeyInspector(vaultKms),
    };
    const owner = owningPerson(workspaceId);
    const bring = (keyArn: string) => bringKey(parts, owner, { keyArn });
    const reasonsFor = async (keyArn: string) => {
      await expect(bring(keyArn)).rejects.toMatchObject({ code: 'key_refused' });
      return rowsOf(vault, workspaceId).at(-1)?.detail['reasons'];
    };
    return { parts, workspaceId, owner, bring, reasonsFor };
  }

  it.each([
    ['of one region', false],
    ['of several', true],
  ])(
    'a key %s with the policy that the vault hands out is taken, used, and left again',
    async (_, MultiRegion) => {
      const { parts, workspaceId, owner, bring } = await world();
      const keyArn = await newKey(customerKms, { Policy: policyFor(workspaceId), MultiRegion });
      const before = await createSecret(parts, owner, { namespace: 'prod', name: 'before', value: 'v1' });
      await bring(keyArn);
      const after = await createSecret(parts, owner, { namespace: 'prod', name: 'after', value: 'v2' });
      for (const [{ id }, value] of [[before, 'v1'] as const, [after, 'v2'] as const])
        expect(await revealSecret(parts, owner, { id })).toMatchObject({ value });
      await customerKms.send(new DisableKeyCommand({ KeyId: keyArn }));
      await expect(revealSecret(parts, owner, { id: after.id })).rejects.toMatchObject({
        code: 'key_unavailable',
      });
      expect(await revealSecret(parts, owner, { id: before.id })).toMatchObject({ value: 'v1' });
      expect(await returnToVaultKey(parts, owner)).toMatchObject({ migration: { keyArn: vaultKeyArn } });
    },
  );

  it("another workspace's key answers as one that is not there, and as one that lets nobody in", async () => {
    const { bring } = await world();
    const theirs = await newKey(customerKms, { Policy: policyFor(`ws_${'b'.repeat(32)}`) });
    const closed = await newKey(customerKms, {});
    const refusal = { code: 'key_refused', message: expect.any(String), errors: [expect.any(Object)] };
    const told = ({ code, message, errors }: VaultError) => ({ code, message, errors });
    const answers: unknown[] = [];
    for (const keyArn of [theirs, closed, ABSENT]) answers.push(await bring(keyArn).catch(told));
    expect(answers).toEqual(Array(3).fill(refusal));
    expect(answers).toEqual(Array(3).fill(answers[0]));
  });

  it('a key that lets the whole account of the vault in is open, and is not taken until it does no longer', async () => {
    const { workspaceId, bring, reasonsFor } = await world();
    const policy = JSON.parse(policyFor(workspaceId));
    const open = {
      Sid: 'VaultUsesKey',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:root' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:ReEncrypt*', 'kms:DescribeKey'],
      Resource: '*',
    };
    const Policy = JSON.stringify({ ...policy, Statement: [...policy.Statement, open] });
    const keyArn = await newKey(customerKms, { Policy });
    expect(await reasonsFor(keyArn)).toBe('open_without_context,open_to_other_workspaces');
    await customerKms.send(
      new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policyFor(workspaceId) }),
    );
    expect(await bring(keyArn)).toMatchObject({ usable: true });
  });

  it.each([
    ['LockzeroLooksAtKey', 'no_access'],
    ['LockzeroOpensAndSeals', 'no_access'],
    ['LockzeroMovesValues', 'cannot_move_in'],
  ])('a key without the statement %s is not taken', async (missing, reasons) => {
    const { workspaceId, reasonsFor } = await world();
    const policy = JSON.parse(policyFor(workspaceId));
    const Statement = policy.Statement.filter(({ Sid }: { Sid: string }) => Sid !== missing);
    const keyArn = await newKey(customerKms, { Policy: JSON.stringify({ ...policy, Statement }) });
    expect(await reasonsFor(keyArn)).toBe(reasons);
  });

  it('a key without the statement for syncing is taken: who syncs nothing leaves it out', async () => {
    const { workspaceId, bring } = await world();
    const policy = JSON.parse(policyFor(workspaceId));
    const Statement = policy.Statement.filter(({ Sid }: { Sid: string }) => Sid !== 'LockzeroSyncsSecrets');
    const keyArn = await newKey(customerKms, { Policy: JSON.stringify({ ...policy, Statement }) });
    expect(await bring(keyArn)).toMatchObject({ usable: true });
  });

  it('a key that is disabled, or waits for its deletion, is not taken, and says why', async () => {
    const { workspaceId, reasonsFor } = await world();
    const keyArn = await newKey(customerKms, { Policy: policyFor(workspaceId) });
    await customerKms.send(new DisableKeyCommand({ KeyId: keyArn }));
    expect(await reasonsFor(keyArn)).toBe('not_enabled');
    await customerKms.send(new ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: 7 }));
    expect(await reasonsFor(keyArn)).toBe('not_enabled');
  });

  it('describes a key in the words of the service', async () => {
    const inspector = createKmsKeyInspector(vaultKms);
    expect(await inspector.describe(vaultKeyArn)).toEqual({
      state: 'Enabled',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      manager: 'CUSTOMER',
    });
    await expect(inspector.describe(ABSENT)).rejects.toMatchObject({ code: 'key_unavailable' });
  });
});

describe('with a service that misbehaves', () => {
  const client = new KMSClient({ region });
  const kms = mockClient(client);
  const inspector = createKmsKeyInspector(client);
  const metadata = {
    KeyId: '1',
    Arn: ABSENT,
    KeyState: 'Enabled',
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyManager: 'CUSTOMER',
  } as const;
  const errorNamed = (name: string) =>
    Object.assign(new Error('arn:aws:iam::1:role/somebody is told no'), { name });
  beforeEach(() => kms.reset());
  afterAll(() => client.destroy());

  it.each([
    ['of another key', { ...metadata, Arn: `${ABSENT}2` }],
    ['without a state', { ...metadata, KeyState: undefined }],
    ['without a spec', { ...metadata, KeySpec: undefined }],
    ['without a use', { ...metadata, KeyUsage: undefined }],
    ['without a manager', { ...metadata, KeyManager: undefined }],
    ['of nothing', undefined],
  ])('a description %s is not used', async (_, KeyMetadata) => {
    kms.on(DescribeKeyCommand).resolves({ KeyMetadata: KeyMetadata as typeof metadata });
    await expect(inspector.describe(ABSENT)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each([
    ['AccessDeniedException', false, 'key_unavailable'],
    ['NotFoundException', 'key_unavailable', 'key_unavailable'],
    ['DisabledException', 'key_unavailable', 'key_unavailable'],
    ['KMSInvalidStateException', 'key_unavailable', 'key_unavailable'],
    ['InvalidKeyUsageException', 'key_unavailable', 'key_unavailable'],
    ['ThrottlingException', 'unavailable', 'unavailable'],
    ['TimeoutError', 'unavailable', 'unavailable'],
    ['KMSInternalException', 'unavailable', 'unavailable'],
  ])(
    '%s says whether the policy lets the vault in (%p), and of a description %s',
    async (name, may, described) => {
      kms.on(GenerateDataKeyCommand).rejects(errorNamed(name));
      kms.on(DescribeKeyCommand).rejects(errorNamed(name));
      const outcome = (work: Promise<unknown>) => work.catch((error: VaultError) => error.code);
      expect(await outcome(inspector.mayGenerate(ABSENT, {}))).toBe(may);
      expect(await outcome(inspector.describe(ABSENT))).toBe(described);
    },
  );

  it('zeroes the data key that it should not have got, and asks in exactly the context given', async () => {
    const Plaintext = new Uint8Array(32).fill(1);
    kms.on(GenerateDataKeyCommand).resolves({ Plaintext });
    expect(await inspector.mayGenerate(ABSENT, { workspaceId: 'ws_1' })).toBe(true);
    expect([...Plaintext].every((byte) => byte === 0)).toBe(true);
    expect(kms.commandCalls(GenerateDataKeyCommand).map(({ args }) => args[0].input)).toEqual([
      { KeyId: ABSENT, KeySpec: 'AES_256', EncryptionContext: { workspaceId: 'ws_1' } },
    ]);
  });
});

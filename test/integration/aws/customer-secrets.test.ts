import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { createCustomerSecrets } from '../../../aws/customer-secrets.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { copyPolicy, trustPolicy } from '../../../core/secrets-sync/customer-role.ts';
import type { SecretsAccount } from '../../../core/secrets-sync/customer-secrets.ts';
import { copyPrefix } from '../../../core/secrets-sync/secrets-sync.ts';
import { customerAccessKey } from '../../../local/kms/caller.ts';
import { createSecretsManager } from '../../../local/secrets-manager/secrets-manager.ts';
import { putCustomerRole } from '../../../local/sts/customer-role.ts';
import { createSts } from '../../../local/sts/sts.ts';
import { SYNC_SITE } from '../../support/memory-customer-secrets.ts';
import {
  addSecret,
  changeSecret,
  runSync,
  type SyncWorld,
  setSync,
  syncWorld,
} from '../../support/sync-world.ts';
import { serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const CUSTOMER = '111122223333';
const ROLE = `arn:aws:iam::${CUSTOMER}:role/lockzero-sync-secrets`;
const WORKSPACE = `ws_${'a'.repeat(32)}`;
const REGION = 'us-east-1';
const site = { ...SYNC_SITE, roleArns: [`arn:aws:iam::${SYNC_SITE.accountId}:role/functions`] };
const folder = mkdtempSync(join(tmpdir(), 'customer-secrets-'));
const earlier = { ...process.env };
let server: Awaited<ReturnType<typeof serveStandIns>>;
let sts: string;
let customer: SecretsManagerClient;

beforeAll(async () => {
  const options = { now: () => Date.now(), region: REGION, accountId: site.accountId };
  server = await serveStandIns({
    '/sts': createSts({ ...options, file: join(folder, 'roles.json'), roleName: 'functions' }),
    '/secretsmanager': createSecretsManager({ ...options, file: join(folder, 'secrets.json') }),
  });
  sts = `${server.url}/sts`;
  Object.assign(process.env, {
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_STS: sts,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: `${server.url}/secretsmanager`,
  });
  const credentials = { accessKeyId: customerAccessKey(CUSTOMER), secretAccessKey: 'none' };
  customer = new SecretsManagerClient({ region: REGION, credentials });
});
afterAll(async () => {
  customer.destroy();
  await server.close();
  process.env = earlier;
  rmSync(folder, { recursive: true });
});

/** The role as the customer makes it, with the documents that the vault hands out. */
const makeRole = (workspaceId: string, changes: { trustPolicy?: object; permissionsPolicy?: object } = {}) =>
  putCustomerRole(sts, {
    accountId: CUSTOMER,
    roleName: 'lockzero-sync-secrets',
    trustPolicy: trustPolicy(site, workspaceId),
    permissionsPolicy: copyPolicy(site, workspaceId, { accountId: '*', region: '*' }),
    ...changes,
  });
const read = async (name: string): Promise<string | undefined> =>
  (await customer.send(new GetSecretValueCommand({ SecretId: name }))).SecretString;
/** All values of a copy that a label leads to. */
async function labelled(name: string): Promise<(string | undefined)[]> {
  const { VersionIdsToStages = {} } = await customer.send(new DescribeSecretCommand({ SecretId: name }));
  const commands = Object.keys(VersionIdsToStages).map(
    (VersionId) => new GetSecretValueCommand({ SecretId: name, VersionId }),
  );
  return Promise.all(commands.map(async (command) => (await customer.send(command)).SecretString));
}

describe('a session in an account of a customer', () => {
  const port = createCustomerSecrets(site);
  const target = { workspaceId: WORKSPACE, roleArn: ROLE, region: REGION };
  const owner = { workspaceId: WORKSPACE, subjectId: 'sec_1' };
  const versionId = (text: string) => text.repeat(32);
  const nameOf = (name: string) => `${copyPrefix(site, WORKSPACE)}prod/${name}`;
  let account: SecretsAccount;
  beforeEach(async () => {
    await makeRole(WORKSPACE);
    account = await port.open(target);
  });
  afterEach(() => account.close());

  it('makes a copy, looks at it, and puts the next version on top', async () => {
    const name = nameOf('db');
    expect(await account.look(name)).toBeUndefined();
    expect(await account.create(name, owner, { id: versionId('a'), value: 'first' })).toBe('created');
    expect(await account.create(name, owner, { id: versionId('b'), value: 'other' })).toBe('taken');
    await account.put(name, { id: versionId('b'), value: 'second' });
    await account.put(name, { id: versionId('b'), value: 'second' });
    expect(await read(name)).toBe('first');
    expect(await account.makeCurrent(name, versionId('b'), versionId('a'))).toBe('moved');
    expect(await read(name)).toBe('second');
    expect(await account.look(name)).toEqual({
      owner,
      isDeleted: false,
      current: versionId('b'),
      kept: { previous: versionId('a'), latest: versionId('b') },
      versions: new Set([versionId('a'), versionId('b')]),
    });
  });

  it('lets go of what was current before, and of nothing that somebody else keeps', async () => {
    const name = nameOf('rotated');
    await account.create(name, owner, { id: versionId('a'), value: 'first' });
    for (const [id, before] of ['ba', 'cb']) {
      await account.put(name, { id: versionId(id ?? ''), value: `value ${id}` });
      await account.makeCurrent(name, versionId(id ?? ''), versionId(before ?? ''));
      expect(await account.letGo(name, versionId(before ?? ''), 'previous')).toBe('gone');
    }
    expect(await labelled(name)).toEqual(['value c']);
    await expect(
      customer.send(new GetSecretValueCommand({ SecretId: name, VersionStage: 'AWSPREVIOUS' })),
    ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect(await account.letGo(name, versionId('b'), 'previous')).toBe('changed');
    expect(await account.letGo(name, versionId('b'), 'latest')).toBe('changed');
    const theirs = { SecretId: name, VersionStage: 'THEIRS', MoveToVersionId: versionId('c') };
    await customer.send(new UpdateSecretVersionStageCommand(theirs));
    await account.put(name, { id: versionId('d'), value: 'value d' });
    await account.makeCurrent(name, versionId('d'), versionId('c'));
    await account.letGo(name, versionId('c'), 'previous');
    expect(await labelled(name)).toEqual(['value c', 'value d']);
  });

  it('puts nothing on top of what came meanwhile', async () => {
    const name = nameOf('raced');
    await account.create(name, owner, { id: versionId('a'), value: 'first' });
    await account.put(name, { id: versionId('b'), value: 'second' });
    await customer.send(new PutSecretValueCommand({ SecretId: name, SecretString: 'meanwhile' }));
    expect(await account.makeCurrent(name, versionId('b'), versionId('a'))).toBe('changed');
    expect(await account.makeCurrent(name, versionId('b'), undefined)).toBe('changed');
    expect(await read(name)).toBe('meanwhile');
    await expect(account.put(name, { id: versionId('b'), value: 'not the same' })).rejects.toMatchObject({
      fault: 'changed_meanwhile',
    });
  });

  it('removes a copy so that it can be restored, and hands it on', async () => {
    const name = nameOf('removed');
    await account.create(name, owner, { id: versionId('a'), value: 'first' });
    await account.remove(name);
    await expect(read(name)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    expect(await account.look(name)).toMatchObject({ isDeleted: true, current: versionId('a') });
    await expect(account.put(name, { id: versionId('b'), value: 'x' })).rejects.toMatchObject({
      fault: 'request_refused',
    });
    await account.restore(name);
    await account.claim(name, { ...owner, subjectId: 'sec_2' });
    expect(await account.look(name)).toMatchObject({ isDeleted: false, owner: { subjectId: 'sec_2' } });
    expect(await read(name)).toBe('first');
  });

  it("reaches no other workspace's names, whatever the role may do besides", async () => {
    const everything = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    };
    await makeRole(WORKSPACE, { permissionsPolicy: everything });
    const wide = await port.open(target);
    for (const name of [
      `${copyPrefix(site, `ws_${'b'.repeat(32)}`)}prod/db`,
      'production/db',
      `lockzero/test/${WORKSPACE}-prod/db`,
    ]) {
      await expect(wide.look(name)).rejects.toMatchObject({ fault: 'access_denied' });
      await expect(wide.create(name, owner, { id: versionId('a'), value: 'x' })).rejects.toMatchObject({
        fault: 'access_denied',
      });
    }
    wide.close();
  });

  it('may no more than the role may', async () => {
    const nothing = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] };
    await makeRole(WORKSPACE, { permissionsPolicy: nothing });
    const narrow = await port.open(target);
    await expect(narrow.look(nameOf('db'))).rejects.toMatchObject({ fault: 'access_denied' });
    narrow.close();
  });

  it('is given to nobody else: not without the external id, not with another one, not for another role', async () => {
    expect(await port.letsIn(ROLE, WORKSPACE)).toBe(true);
    expect(await port.letsIn(ROLE, undefined)).toBe(false);
    expect(await port.letsIn(ROLE, `ws_${'b'.repeat(32)}`)).toBe(false);
    expect(await port.letsIn(`${ROLE}-2`, WORKSPACE)).toBe(false);
    await expect(port.open({ ...target, workspaceId: `ws_${'b'.repeat(32)}` })).rejects.toMatchObject({
      fault: 'role_refused',
      code: 'receiver_refused',
    });
  });
});

describe('the whole way', () => {
  let world: SyncWorld;
  beforeEach(async () => {
    world = await syncWorld();
    const customerSecrets = createCustomerSecrets(site);
    world = {
      ...world,
      vault: { ...world.vault, customerSecrets } as unknown as SyncWorld['vault'],
      parts: { ...world.parts, customerSecrets, syncSite: site },
    };
    await makeRole(world.workspaceId);
  });

  it('a secret is copied, changed, deleted and restored, in the account and region of the customer', async () => {
    const name = `${copyPrefix(site, world.workspaceId)}prod/db`;
    const id = await addSecret(world, 'db');
    await setSync(world);
    expect(await runSync(world)).toEqual({ copied: 1, removed: 0, failed: 0 });
    expect(await read(name)).toBe('value of db');
    await changeSecret(world, id, 'second');
    await runSync(world);
    expect(await read(name)).toBe('second');
    expect(await labelled(name)).toEqual(['second']);
    await deleteSecret(world.vault, world.owner, id);
    expect(await runSync(world)).toEqual({ copied: 0, removed: 1, failed: 0 });
    await expect(read(name)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    await restoreSecret(world.vault, world.owner, id);
    expect(await runSync(world)).toMatchObject({ copied: 1, failed: 0 });
    expect(await read(name)).toBe('second');
    const own = new SecretsManagerClient({ region: REGION });
    await expect(own.send(new GetSecretValueCommand({ SecretId: name }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    own.destroy();
  });

  it('a purged secret leaves no value to one of the same name', async () => {
    const name = `${copyPrefix(site, world.workspaceId)}prod/db`;
    const id = await addSecret(world, 'db', { value: 'purged' });
    await setSync(world);
    await runSync(world);
    await deleteSecret(world.vault, world.owner, id);
    await runSync(world);
    await purgeSecret(world.vault, world.owner, id);
    await addSecret(world, 'db', { value: 'of the next one' });
    expect(await runSync(world)).toMatchObject({ copied: 1, failed: 0 });
    expect(await labelled(name)).toEqual(['of the next one']);
  });

  it('a role that trusts whoever the vault sends is refused', async () => {
    const [statement] = trustPolicy(site, world.workspaceId).Statement;
    await makeRole(world.workspaceId, {
      trustPolicy: { Version: '2012-10-17', Statement: [{ ...statement, Condition: {} }] },
    });
    await expect(setSync(world)).rejects.toMatchObject({ code: 'receiver_refused', errors: [{}, {}] });
  });
});

it('is unavailable, and nobody is refused, where no token service answers', async () => {
  const endpoint = process.env['AWS_ENDPOINT_URL_STS'];
  process.env['AWS_ENDPOINT_URL_STS'] = `${server.url}/nothing-here`;
  const port = createCustomerSecrets(site);
  await expect(port.letsIn(ROLE, undefined)).rejects.toMatchObject({ code: 'unavailable' });
  process.env['AWS_ENDPOINT_URL_STS'] = endpoint;
});

import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { openBrowser } from '../../local/demo/browser.ts';
import { RESOURCES } from '../../local/environment.ts';
import { customerAccessKey } from '../../local/kms/caller.ts';
import { putCustomerRole } from '../../local/sts/customer-role.ts';
import { api, withDevVault } from '../support/api.ts';

interface SyncJson {
  readonly state: string;
  readonly prefix: string;
  readonly copies: number;
  readonly role: { readonly trustPolicy: object; readonly permissionsPolicy: object };
}

withDevVault("secrets copied into a customer's Secrets Manager", (vault) => {
  const accountId = RESOURCES.customerAccountId;
  let customer: SecretsManagerClient;
  afterAll(() => customer.destroy());

  /** As somebody of the customer's account reads it, with nothing of the vault's. */
  async function read(SecretId: string): Promise<string | undefined> {
    return (await customer.send(new GetSecretValueCommand({ SecretId }))).SecretString;
  }

  it('follow the vault, and a key that nobody saw opens the vault', async () => {
    const { url, owner } = vault;
    const { region, secretsManagerEndpoint, stsEndpoint } = vault.config.aws;
    const credentials = { accessKeyId: customerAccessKey(accountId), secretAccessKey: 'none' };
    customer = new SecretsManagerClient({ region, credentials, endpoint: secretsManagerEndpoint });
    const create = (namespace: string, name: string, value: string) =>
      owner.post('/secrets', { json: { namespace, name, value } });
    await create('prod', 'TOKEN', 'the first');
    await create('internal', 'OTHER', 'stays here');

    const path = '/workspace/secrets-sync';
    const ada = openBrowser(url);
    const login = vault.config.owner;
    await ada.expect(200, 'POST', '/auth/login', login);
    await ada.expect(200, 'POST', '/auth/step-up', { password: login.password });
    const { role, prefix } = await ada.expect<SyncJson>(200, 'GET', path);
    const open = { ...role, trustPolicy: trustingAnybody(role.trustPolicy) };
    const openArn = await putCustomerRole(stsEndpoint, {
      accountId,
      roleName: 'lockzero-sync-open',
      ...open,
    });
    const roleArn = await putCustomerRole(stsEndpoint, {
      accountId,
      roleName: 'lockzero-sync-demo',
      ...role,
    });
    const refused = await ada.send('PUT', path, { namespaces: ['prod'], roleArn: openArn });
    expect(refused).toMatchObject({ status: 422, json: { code: 'receiver_refused' } });
    await ada.expect(200, 'PUT', path, { namespaces: ['prod'], roleArn });

    await vault.runJob('syncer');
    expect(await read(`${prefix}prod/TOKEN`)).toBe('the first');
    await expect(read(`${prefix}internal/OTHER`)).rejects.toThrow();

    const { json: secrets } = await owner.get('/secrets?namespace=prod');
    const id = (secrets as { items: { id: string }[] }).items[0]?.id;
    expect((await owner.put(`/secrets/${id}/value`, { json: { value: 'the second' } })).status).toBe(200);
    await vault.runJob('syncer');
    expect(await read(`${prefix}prod/TOKEN`)).toBe('the second');
    expect(await ada.expect<SyncJson>(200, 'GET', path)).toMatchObject({ state: 'active', copies: 1 });
    const { json: rows } = await owner.get(`/audit?action=secret.synced&entityId=${id}`);
    expect((rows as { items: unknown[] }).items).toHaveLength(2);

    const bootstrap = { name: 'deployer', role: 'operator', namespaces: ['prod'] };
    const made = await ada.expect<object>(201, 'POST', `${path}/bootstrap-key`, bootstrap);
    const token = await read(`${prefix}bootstrap/deployer`);
    expect(JSON.stringify(made)).not.toContain(token);
    const machine = api(url, token);
    expect(await machine.get('/namespaces/prod/secrets/TOKEN/value')).toMatchObject({
      status: 200,
      json: { value: 'the second' },
    });
  });
});

/** The same without any condition: everybody may enter through the vault. */
function trustingAnybody(policy: object): object {
  const { Statement: statements = [] } = policy as { readonly Statement?: readonly object[] };
  const bare = statements.map(({ Condition: _, ...rest }: { readonly Condition?: unknown }) => rest);
  return { ...policy, Statement: bare };
}

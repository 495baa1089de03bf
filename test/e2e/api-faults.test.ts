import { DisableKeyCommand, EnableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { withDevVault } from '../support/api.ts';

withDevVault('when a dependency fails', (vault) => {
  it('a disabled key stops reveals and writes of values at once, and nothing else', async () => {
    const { json: secret } = await vault.owner.post('/secrets', {
      json: { namespace: 'a', name: 'b', value: 'v' },
    });
    const { kmsEndpoint, region, secretsKeyArn: KeyId } = vault.config.aws;
    const kms = new KMSClient({ endpoint: kmsEndpoint, region });
    await kms.send(new DisableKeyCommand({ KeyId }));
    try {
      const requests = [
        vault.owner.post(`/secrets/${secret.id}/reveal`),
        vault.owner.get('/namespaces/a/secrets/b/value'),
        vault.owner.put(`/secrets/${secret.id}/value`, { json: { value: 'w' } }),
        vault.owner.post('/secrets', { json: { namespace: 'a', name: 'c', value: 'v' } }),
      ];
      for (const { status, json, headers } of await Promise.all(requests)) {
        expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'key_unavailable', '30']);
      }
      const bulk = (await vault.owner.post('/secrets/reveal', { json: { namespace: 'a' } })).json;
      expect(bulk).toMatchObject({ items: [], errors: [{ id: secret.id, code: 'key_unavailable' }] });
      expect((await vault.owner.get('/secrets')).json.items).toHaveLength(1);
    } finally {
      await kms.send(new EnableKeyCommand({ KeyId }));
    }
    expect((await vault.owner.post(`/secrets/${secret.id}/reveal`)).json).toMatchObject({
      value: 'v',
      version: 1,
    });

    const { items } = (await vault.owner.get('/audit?action=secret.revealed&limit=100')).json;
    const results = items.map((item: { result: string }) => item.result).sort();
    // Three reveals were recorded before the key service refused, and once more when it had; the last one went well.
    expect(results).toEqual(['failure', 'failure', 'failure', 'success', 'success', 'success', 'success']);
    expect((await vault.owner.post('/audit/verify')).json.ok).toBe(true);
  });
});

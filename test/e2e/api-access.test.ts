import { type Api, withDevVault } from '../support/api.ts';

withDevVault('access over HTTP', (vault) => {
  const newKey = async (json: object): Promise<{ id: string; key: string; api: Api }> => {
    const answer = await vault.owner.post('/api-keys', { json: { name: 'k', namespaces: ['*'], ...json } });
    expect(answer.status).toBe(201);
    expect(answer.json.key).toMatch(/^lz_[A-Za-z0-9_-]{43}$/);
    return { id: answer.json.id, key: answer.json.key, api: vault.as(answer.json.key) };
  };
  let secretId = '';
  beforeAll(async () => {
    const { json } = await vault.owner.post('/secrets', {
      json: { namespace: 'prod', name: 'db', value: 'v' },
    });
    secretId = json.id;
  });

  it('gives each role what it may, and 403 for the rest', async () => {
    const statuses = async ({ api }: { api: Api }) => [
      (await api.get('/secrets')).status,
      (await api.post(`/secrets/${secretId}/reveal`)).status,
      (await api.patch(`/secrets/${secretId}`, { json: { description: 'd' } })).status,
      (await api.get('/api-keys')).status,
      (await api.get('/audit')).status,
      (await api.delete(`/secrets/${secretId}?purge=true`)).status,
    ];
    expect(await statuses(await newKey({ role: 'viewer' }))).toEqual([200, 403, 403, 403, 403, 403]);
    expect(await statuses(await newKey({ role: 'operator' }))).toEqual([200, 200, 200, 403, 403, 403]);
    expect(await statuses(await newKey({ role: 'admin' }))).toEqual([200, 200, 200, 200, 200, 403]);
    expect(await statuses(await newKey({ role: 'owner' }))).toEqual([200, 200, 200, 200, 200, 409]);
  });

  it('keeps a key within its namespaces', async () => {
    const { api } = await newKey({ role: 'admin', namespaces: ['staging'] });
    expect(
      (await api.post('/secrets', { json: { namespace: 'staging', name: 'a', value: 'x' } })).status,
    ).toBe(201);
    expect((await api.post('/secrets', { json: { namespace: 'prod', name: 'a', value: 'x' } })).status).toBe(
      403,
    );
    expect((await api.post(`/secrets/${secretId}/reveal`)).status).toBe(403);
    expect((await api.get('/namespaces/prod/secrets/db/value')).status).toBe(403);
    const { items } = (await api.get('/secrets')).json;
    expect(new Set(items.map((item: { namespace: string }) => item.namespace))).toEqual(new Set(['staging']));
    expect((await api.get('/audit')).status).toBe(403);
    expect(
      (await api.post('/api-keys', { json: { name: 'x', role: 'viewer', namespaces: ['prod'] } })).status,
    ).toBe(403);
    expect(
      (await api.post('/api-keys', { json: { name: 'x', role: 'owner', namespaces: ['staging'] } })).status,
    ).toBe(403);
  });

  it('refuses a revoked key on its next request, and to make an expired one', async () => {
    const revoked = await newKey({ role: 'viewer' });
    expect((await revoked.api.get('/secrets')).status).toBe(200);
    expect((await vault.owner.delete(`/api-keys/${revoked.id}`)).status).toBe(204);
    expect((await revoked.api.get('/secrets')).status).toBe(401);
    expect((await vault.owner.delete(`/api-keys/${revoked.id}`)).json.code).toBe('already_revoked');

    const past = { name: 'k', role: 'viewer', namespaces: ['*'], expiresAt: '2026-01-01T00:00:00Z' };
    expect((await vault.owner.post('/api-keys', { json: past })).json.errors).toEqual([
      { path: 'expiresAt', reason: 'must be in the future' },
    ]);
  });

  it('answers alike to every key that does not open', async () => {
    const honeypot = await newKey({ role: 'owner', honeypot: true });
    const answers = await Promise.all(
      [undefined, 'nonsense', `lz_${'A'.repeat(43)}`, honeypot.key].map((key) =>
        vault.as(key).get('/secrets'),
      ),
    );
    for (const { status, json, headers } of answers) {
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toContain('Bearer');
      expect({ ...json, requestId: '' }).toEqual({ ...answers[0]?.json, requestId: '' });
    }
    const { items } = (await vault.owner.get('/audit?action=authentication.failed')).json;
    expect(items[0]).toMatchObject({
      entity: { type: 'api_key', id: honeypot.id },
      detail: { reason: 'honeypot' },
    });
    await vault.pump();
    const { json } = await vault.owner.get('/alerts?state=open');
    expect(json.items).toEqual([
      expect.objectContaining({
        kind: 'honeypot_used',
        tier: 'critical',
        count: 1,
        rows: [items[0].id],
        detail: expect.objectContaining({ keyId: honeypot.id }),
      }),
    ]);
    const { status, json: closed } = await vault.owner.post(`/alerts/${json.items[0].id}/close`, {
      json: { note: 'A test.' },
    });
    expect([status, closed]).toEqual([200, expect.objectContaining({ state: 'closed', note: 'A test.' })]);
  });

  it('rotates a key with an overlap, and tells when keys were last used', async () => {
    const old = await newKey({ role: 'operator' });
    await old.api.get('/secrets');
    const { json } = await vault.owner.post(`/api-keys/${old.id}/rotate`, { json: { overlapSeconds: 3600 } });
    expect(json).toMatchObject({ role: 'operator', rotatedFrom: old.id });
    expect((await old.api.get('/secrets')).status).toBe(200);
    expect((await vault.as(json.key).get('/secrets')).status).toBe(200);
    const last = (await vault.owner.post(`/api-keys/${json.id}/rotate`, { json: { overlapSeconds: 0 } }))
      .json;
    expect((await vault.as(json.key).get('/secrets')).status).toBe(401);
    const { items } = (await vault.owner.get('/api-keys?limit=100')).json;
    const used = Object.fromEntries(
      items.map((key: { id: string; lastUsedAt: string | null }) => [key.id, key.lastUsedAt]),
    );
    expect(Date.parse(used[old.id])).toBeGreaterThan(Date.now() - 60_000);
    expect(used[last.id]).toBeNull();
    expect(JSON.stringify(items)).not.toContain(old.key);
  });

  it('gives the setup token one use', async () => {
    const refused = await vault.as().post('/setup', { json: { setupToken: 'guess', workspaceName: 'Mine' } });
    expect([refused.status, refused.json.code]).toEqual([401, 'setup_refused']);
  });
});

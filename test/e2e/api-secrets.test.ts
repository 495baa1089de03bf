import { withDevVault } from '../support/api.ts';

withDevVault('secrets over HTTP', (vault) => {
  const store = async (name: string, value: string, more: object = {}) => {
    const answer = await vault.owner.post('/secrets', { json: { namespace: 'prod', name, value, ...more } });
    expect(answer.status).toBe(201);
    return answer;
  };

  it('come back as they went in, whatever UTF-8 they are', async () => {
    for (const [name, value] of [
      ['empty', ''],
      ['unicode', 'pässwörd 🔐 \u0000 \u2028 \r\n\t"\\'],
      ['longest', '𝄞'.repeat(16_384)],
    ] as const) {
      const { json, headers } = await store(name, value);
      expect(headers.get('etag')).toBe('"v1"');
      expect(headers.get('location')).toBe(`/secrets/${json.id}`);
      const revealed = await vault.owner.post(`/secrets/${json.id}/reveal`);
      expect(revealed.json).toEqual({ id: json.id, name, version: 1, value });
      expect((await vault.owner.get(`/namespaces/prod/secrets/${name}/value`)).json.value).toBe(value);
    }
  });

  it('show no value but where it was asked for', async () => {
    const value = 'never-in-a-list-7f3a';
    const { json, text } = await store('shy', value, { description: 'd', tags: ['a', 'b'], isCUI: true });
    const answers = [
      text,
      (await vault.owner.get(`/secrets/${json.id}`)).text,
      (await vault.owner.get('/secrets')).text,
      (await vault.owner.get('/secrets/export')).text,
      (await vault.owner.get(`/secrets/${json.id}/versions`)).text,
      (await vault.owner.get('/audit')).text,
      (await vault.owner.get('/audit/export')).text,
    ];
    for (const answer of answers) expect(answer).not.toContain(value);
  });

  it('have versions, of which an earlier one can be revealed and rolled back to', async () => {
    const { id } = (await store('versions', 'one')).json;
    const put = await vault.owner.put(`/secrets/${id}/value`, {
      json: { value: 'two' },
      headers: { 'If-Match': '"v1"' },
    });
    expect([put.status, put.headers.get('etag'), put.json.version]).toEqual([200, '"v2"', 2]);
    const stale = await vault.owner.put(`/secrets/${id}/value`, {
      json: { value: 'x' },
      headers: { 'If-Match': '"v1"' },
    });
    expect([stale.status, stale.json.code]).toEqual([412, 'precondition_failed']);
    expect((await vault.owner.post(`/secrets/${id}/reveal`, { json: { version: 1 } })).json.value).toBe(
      'one',
    );
    const back = await vault.owner.post(`/secrets/${id}/rollback`, { json: { version: 1 } });
    expect([back.status, back.json.version]).toEqual([200, 3]);
    expect((await vault.owner.post(`/secrets/${id}/reveal`)).json).toMatchObject({
      version: 3,
      value: 'one',
    });
    const { items } = (await vault.owner.get(`/secrets/${id}/versions`)).json;
    expect(items.map((item: { version: number; current: boolean }) => [item.version, item.current])).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
  });

  it('are not decrypted for a machine that has this revision already', async () => {
    await store('cached', 'x');
    const path = '/namespaces/prod/secrets/cached/value';
    const same = await vault.owner.get(path, { headers: { 'If-None-Match': '"v9", W/"v1"' } });
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', '"v1"']);
    const other = await vault.owner.get(path, { headers: { 'If-None-Match': '"v9"' } });
    expect([other.status, other.json.value]).toEqual([200, 'x']);
    const { items } = (await vault.owner.get('/audit?limit=2&action=secret.read')).json;
    expect(items[0].detail).toEqual({ namespace: 'prod', notModified: 'true' });
  });

  it('can be deleted, found among the deleted, restored, and purged', async () => {
    const { id } = (await store('gone', 'x')).json;
    const deleted = await vault.owner.delete(`/secrets/${id}`);
    expect(deleted.status).toBe(200);
    expect(Date.parse(deleted.json.restorableUntil) - Date.parse(deleted.json.deletedAt)).toBe(
      7 * 24 * 3600 * 1000,
    );
    expect((await vault.owner.post(`/secrets/${id}/reveal`)).json.code).toBe('secret_deleted');
    expect((await vault.owner.get('/namespaces/prod/secrets/gone/value')).status).toBe(404);
    const trash = (await vault.owner.get('/secrets?deleted=true')).json;
    expect(trash.items.map((secret: { id: string }) => secret.id)).toContain(id);
    const taken = await vault.owner.post('/secrets', {
      json: { namespace: 'prod', name: 'gone', value: 'y' },
    });
    expect([taken.status, taken.json.code]).toEqual([409, 'name_taken']);
    expect((await vault.owner.post(`/secrets/${id}/restore`)).status).toBe(200);
    expect((await vault.owner.post(`/secrets/${id}/reveal`)).json.value).toBe('x');

    expect((await vault.owner.delete(`/secrets/${id}?purge=true`)).json.code).toBe('not_deleted');
    await vault.owner.delete(`/secrets/${id}`);
    expect((await vault.owner.delete(`/secrets/${id}?purge=true`)).status).toBe(204);
    expect((await vault.owner.post(`/secrets/${id}/restore`)).json.code).toBe('not_found');
    expect(
      (await vault.owner.post('/secrets', { json: { namespace: 'prod', name: 'gone', value: 'y' } })).status,
    ).toBe(201);
  });

  it('are listed by name, filtered, and paged', async () => {
    const namespace = 'paging';
    for (const name of ['c', 'a', 'e', 'b', 'd']) {
      const isCUI = name < 'c';
      await vault.owner.post('/secrets', {
        json: { namespace, name, value: name, tags: [`t-${name}`], isCUI },
      });
    }
    const names: string[] = [];
    let cursor = '';
    do {
      const { json } = await vault.owner.get(`/secrets?namespace=${namespace}&limit=2${cursor}`);
      names.push(...json.items.map((item: { name: string }) => item.name));
      cursor = json.nextCursor === null ? '' : `&cursor=${json.nextCursor}`;
    } while (cursor !== '');
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
    const list = async (filter: string) =>
      (await vault.owner.get(`/secrets?namespace=${namespace}&${filter}`)).json.items.map(
        (item: { name: string }) => item.name,
      );
    expect(await list('isCUI=true')).toEqual(['a', 'b']);
    expect(await list('tag=t-d')).toEqual(['d']);
    expect(await list('q=E')).toEqual(['e']);
    const csv = (await vault.owner.get('/secrets/export?isCUI=true')).text;
    expect(csv.split('\r\n').filter((line) => line.includes(',paging,'))).toHaveLength(2);
  });

  it('can be imported and revealed in bulk', async () => {
    const content =
      '# demo\nexport API_URL=https://example.com\nPASSWORD="p@ss # \\"word\\""\nCERT=\'line 1\nline 2\'\n';
    const body = { format: 'env', namespace: 'imported', content };
    const done = await vault.owner.post('/secrets/import', {
      json: body,
      headers: { 'Idempotency-Key': 'import-1' },
    });
    expect(done.json).toMatchObject({ created: 3, updated: 0, skipped: 0 });
    const again = await vault.owner.post('/secrets/import', {
      json: body,
      headers: { 'Idempotency-Key': 'import-1' },
    });
    expect(again.json).toEqual(done.json);
    expect((await vault.owner.post('/secrets/import', { json: body })).json.code).toBe('import_conflict');
    const { json } = await vault.owner.post('/secrets/reveal', { json: { namespace: 'imported' } });
    expect(
      Object.fromEntries(json.items.map((item: { name: string; value: string }) => [item.name, item.value])),
    ).toEqual({
      API_URL: 'https://example.com',
      PASSWORD: 'p@ss # "word"',
      CERT: 'line 1\nline 2',
    });
    const ids = [json.items[0].id, `sec_${'0'.repeat(32)}`];
    const partial = (await vault.owner.post('/secrets/reveal', { json: { ids } })).json;
    expect(partial.items).toHaveLength(1);
    expect(partial.errors).toMatchObject([{ id: ids[1], code: 'not_found' }]);
  });

  it('are made once for an Idempotency-Key', async () => {
    const request = {
      json: { namespace: 'prod', name: 'once', value: 'x' },
      headers: { 'Idempotency-Key': 'k1' },
    };
    const answers = await Promise.all([1, 2, 3].map(() => vault.owner.post('/secrets', request)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    const other = await vault.owner.post('/secrets', { ...request, json: { ...request.json, value: 'y' } });
    expect([other.status, other.json.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('leave a namespace only when it is empty', async () => {
    expect((await vault.owner.post('/namespaces', { json: { name: 'brief' } })).status).toBe(201);
    expect((await vault.owner.post('/namespaces', { json: { name: 'brief' } })).json.code).toBe('name_taken');
    await vault.owner.post('/secrets', { json: { namespace: 'brief', name: 'x', value: 'x' } });
    expect((await vault.owner.delete('/namespaces/brief')).json.code).toBe('namespace_not_empty');
    expect((await vault.owner.delete('/namespaces/prod')).json.code).toBe('namespace_not_empty');
    await vault.owner.post('/namespaces', { json: { name: 'empty' } });
    expect((await vault.owner.delete('/namespaces/empty')).status).toBe(204);
    const names = (await vault.owner.get('/namespaces')).json.items.map(
      (item: { name: string }) => item.name,
    );
    expect(names).toContain('brief');
    expect(names).not.toContain('empty');
  });

  it('leave a trail that verifies, job included', async () => {
    const { json } = await vault.owner.post('/audit/verify');
    expect(json).toMatchObject({ ok: true });
    expect(json.rows).toBeGreaterThan(50);
    expect(await vault.runJob('verifier')).toMatchObject({ breaks: 0 });
  });
});

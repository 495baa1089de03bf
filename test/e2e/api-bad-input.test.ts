import { request as httpRequest } from 'node:http';
import { type ApiRequest, withDevVault } from '../support/api.ts';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const MARK = 'do-not-echo-5c1e';

withDevVault('bad input', (vault) => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

  const bodies: [name: string, status: number, code: string, request: ApiRequest][] = [
    ['malformed JSON', 400, 'malformed_json', { raw: `{"value": "${MARK}"`, headers: JSON_TYPE }],
    ['no body', 400, 'malformed_json', { headers: JSON_TYPE }],
    [
      'an unknown field',
      400,
      'invalid_request',
      { json: { namespace: 'a', name: 'b', value: MARK, color: MARK } },
    ],
    ['a wrong type', 400, 'invalid_request', { json: { namespace: 'a', name: 'b', value: { [MARK]: 1 } } }],
    ['a list for an object', 400, 'invalid_request', { json: [MARK] }],
    [
      'a name outside the pattern',
      400,
      'invalid_request',
      { json: { namespace: 'a', name: `b/${MARK}`, value: MARK } },
    ],
    ['the name ..', 400, 'invalid_request', { json: { namespace: '..', name: 'b', value: MARK } }],
    [
      'a name too long',
      400,
      'invalid_request',
      { json: { namespace: 'a', name: 'b'.repeat(129), value: MARK } },
    ],
    [
      'a value too long',
      400,
      'invalid_request',
      { json: { namespace: 'a', name: 'b', value: MARK.repeat(5_000) } },
    ],
    [
      'a lone surrogate',
      400,
      'invalid_request',
      { raw: `{"namespace":"a","name":"b","value":"${MARK}\\ud800"}`, headers: JSON_TYPE },
    ],
    [
      'a body that is not UTF-8',
      400,
      'malformed_json',
      {
        raw: Buffer.concat([Buffer.from(`{"value":"${MARK}`), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
        headers: JSON_TYPE,
      },
    ],
    [
      'a member __proto__',
      400,
      'malformed_json',
      {
        raw: `{"namespace":"a","name":"b","value":"${MARK}","__proto__":{"role":"owner"}}`,
        headers: JSON_TYPE,
      },
    ],
    ['a nesting bomb', 400, 'malformed_json', { raw: nested(100_000), headers: JSON_TYPE }],
    [
      'a body over 1 MiB',
      413,
      'payload_too_large',
      { raw: JSON.stringify({ value: MARK.repeat(80_000) }), headers: JSON_TYPE },
    ],
    [
      'a form',
      415,
      'unsupported_media_type',
      { raw: `value=${MARK}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
    ],
    [
      'another charset',
      415,
      'unsupported_media_type',
      { raw: '{}', headers: { 'Content-Type': 'application/json; charset=utf-16' } },
    ],
    [
      'a bad Idempotency-Key',
      400,
      'invalid_request',
      { json: { namespace: 'a', name: 'b', value: MARK }, headers: { 'Idempotency-Key': 'a b' } },
    ],
  ];

  it.each(bodies)(
    '%s is refused with %i %s, unechoed, and leaves nothing',
    async (_, status, code, request) => {
      const answer = await vault.owner.post('/secrets', request);
      expect([answer.status, answer.json.code]).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(answer.headers.get('x-request-id')).toBe(answer.json.requestId);
      expect(answer.headers.get('strict-transport-security')).toContain('max-age=63072000');
      expect(answer.json).toMatchObject({
        type: 'about:blank',
        title: expect.any(String),
        status,
        detail: expect.any(String),
      });
      const { errors = [], ...rest } = answer.json;
      expect(JSON.stringify(rest)).not.toContain(MARK);
      // A path may name an unknown field, never what stood in it.
      for (const { reason } of errors) expect(reason).not.toContain(MARK);
      expect((await vault.owner.get('/secrets?namespace=a')).json.items).toEqual([]);
    },
  );

  const paths: [method: 'get' | 'post' | 'put' | 'delete', path: string, status: number, code: string][] = [
    ['get', '/nothing', 404, 'not_found'],
    ['get', '/secrets/%E0%A4%A', 404, 'not_found'],
    ['put', '/secrets', 405, 'method_not_allowed'],
    ['get', '/secrets?limit=0', 400, 'invalid_request'],
    ['get', '/secrets?limit=101', 400, 'invalid_request'],
    ['get', '/secrets?limit=1e1', 400, 'invalid_request'],
    ['get', '/secrets?color=red', 400, 'invalid_request'],
    ['get', '/secrets?q=a&q=b', 400, 'invalid_request'],
    ['get', '/secrets?cursor=forged', 400, 'invalid_cursor'],
    ['get', '/secrets?cursor=1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 400, 'invalid_cursor'],
    ['get', '/audit?from=yesterday', 400, 'invalid_request'],
    ['get', '/audit?from=2026-02-30', 400, 'invalid_request'],
    ['get', '/secrets/sec_1', 404, 'not_found'],
    ['get', `/secrets/sec_${'0'.repeat(32)}`, 404, 'not_found'],
    ['delete', `/api-keys/key_${'0'.repeat(32)}`, 404, 'not_found'],
    ['get', '/namespaces/prod/secrets/a%2Fb/value', 400, 'invalid_request'],
    ['post', '/secrets/reveal', 400, 'malformed_json'],
  ];

  it.each(paths)('%s %s is refused with %i %s', async (method, path, status, code) => {
    const answer = await vault.owner[method](path);
    expect([answer.status, answer.json.code]).toEqual([status, code]);
    if (status === 405) expect(answer.headers.get('allow')).toBe('POST, GET');
  });

  it('a cursor opens only the list that it came from', async () => {
    for (const name of ['x', 'y'])
      await vault.owner.post('/secrets', { json: { namespace: 'c', name, value: 'v' } });
    const { nextCursor } = (await vault.owner.get('/secrets?namespace=c&limit=1')).json;
    expect(
      (await vault.owner.get(`/secrets?namespace=c&limit=5&cursor=${nextCursor}`)).json.items,
    ).toHaveLength(1);
    expect((await vault.owner.get(`/secrets?namespace=d&cursor=${nextCursor}`)).json.code).toBe(
      'invalid_cursor',
    );
    expect((await vault.owner.get(`/audit?cursor=${nextCursor}`)).json.code).toBe('invalid_cursor');
    const other = await vault.owner.post('/api-keys', {
      json: { name: 'k', role: 'viewer', namespaces: ['*'] },
    });
    const theirs = await vault.as(other.json.key).get(`/secrets?namespace=c&cursor=${nextCursor}`);
    expect(theirs.json.code).toBe('invalid_cursor');
  });

  it('an import tells every fault with its line, and writes nothing', async () => {
    const content = `GOOD=1\nbroken line ${MARK}\nGOOD=2\nb@d=${MARK}\nOPEN="${MARK}\n`;
    const answer = await vault.owner.post('/secrets/import', {
      json: { format: 'env', namespace: 'imp', content },
    });
    expect(answer.status).toBe(400);
    expect(answer.json.errors.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['content: line 2', 'content: line 3', 'content: line 4', 'content: line 5']),
    );
    expect(answer.text).not.toContain(MARK);
    expect((await vault.owner.get('/secrets?namespace=imp')).json.items).toEqual([]);
  });

  it('two Authorization headers are not one', async () => {
    const { url, config } = vault;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${url}/secrets`, {
        headers: { authorization: [`Bearer ${config.apiKey}`, 'Bearer x'] as unknown as string },
      });
      request
        .on('response', (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(401);
  });

  it('every refusal of a known caller has its row, without the value', async () => {
    const { json, text } = await vault.owner.get('/audit?action=secret.created&limit=100');
    const codes = new Set(json.items.map((item: { detail: { code?: string } }) => item.detail.code));
    for (const [, , code] of bodies) expect(codes).toContain(code);
    expect(text).not.toContain(MARK);
    expect((await vault.owner.post('/audit/verify')).json.ok).toBe(true);
  });
});

import { z } from 'zod';
import { VaultError } from '../../../core/kernel/errors.ts';
import { readContext, readInput } from '../../../lambdas/api/http/read-input.ts';
import { MAX_BODY_BYTES, readRequest } from '../../../lambdas/api/http/request.ts';
import { type GuardedRoute, guarded } from '../../../lambdas/api/http/route.ts';
import { type ApiCall, apiEvent } from '../../support/call-api.ts';
import { callerWith } from '../../support/memory-vault.ts';

const route = (schemas: Partial<GuardedRoute>) =>
  guarded({
    method: 'POST',
    path: '/',
    summary: '',
    permission: 'secret:read',
    action: 'secret.read',
    responses: [],
    handle: async () => ({ status: 200 }),
    ...schemas,
  });

const BODY = z.strictObject({ name: z.string().max(3), tags: z.array(z.string()).optional() });

function read(call: Partial<ApiCall>, schemas: Partial<GuardedRoute> = { body: BODY }, params = {}) {
  const request = readRequest(apiEvent({ method: 'POST', path: '/', ...call }));
  return readInput(request, { route: route(schemas), params });
}

function refusal(work: () => unknown): VaultError {
  try {
    work();
  } catch (error) {
    if (error instanceof VaultError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('a body', () => {
  it('is read by its schema', () => {
    expect(read({ json: { name: 'abc' } }).body).toEqual({ name: 'abc' });
  });

  it('may be absent only where every field is optional', () => {
    expect(refusal(() => read({})).code).toBe('malformed_json');
    expect(read({}, { body: z.strictObject({ a: z.string().optional() }) }).body).toEqual({});
    expect(read({}, {}).body).toEqual({});
  });

  it.each([['application/json; charset=utf-8'], ['Application/JSON;charset="UTF-8"']])(
    'may be of type %s',
    (type) => {
      expect(read({ body: '{"name":"a"}', headers: { 'Content-Type': type } }).body).toEqual({ name: 'a' });
    },
  );

  it.each(['text/plain', 'application/json; charset=latin1', 'application/x-www-form-urlencoded', ''])(
    'of type %p is refused',
    (type) => {
      const error = refusal(() => read({ body: '{"name":"a"}', headers: { 'Content-Type': type } }));
      expect(error.code).toBe('unsupported_media_type');
    },
  );

  it.each([
    ['no JSON', '{"name": hunter2}'],
    ['cut short', '{"name": "hunter2"'],
    ['two values', '{"name":"hunter2"} {}'],
    ['a bomb of brackets', `${'['.repeat(100_000)}"hunter2"`],
    ['a reserved name', '{"__proto__": {"name": "hunter2"}}'],
  ])('with %s is malformed, and what it holds is not told', (_, body) => {
    const error = refusal(() => read({ body, headers: JSON_TYPE }));
    expect(error.code).toBe('malformed_json');
    expect(JSON.stringify([error.message, error.errors])).not.toContain('hunter2');
  });

  it('in bytes that are no UTF-8 is malformed', () => {
    const event = apiEvent({ method: 'POST', path: '/', headers: JSON_TYPE });
    const body = Buffer.from([0x7b, 0xff, 0x7d]).toString('base64');
    const request = readRequest({ ...event, body, isBase64Encoded: true });
    const error = refusal(() => readInput(request, { route: route({ body: BODY }), params: {} }));
    expect(error.code).toBe('malformed_json');
  });

  it('of 1 MiB is taken, and of one byte more is not', () => {
    const content = (bytes: number) => `{"name":"a"}${' '.repeat(bytes - 12)}`;
    expect(read({ body: content(MAX_BODY_BYTES), headers: JSON_TYPE }).body).toEqual({ name: 'a' });
    const error = refusal(() => read({ body: content(MAX_BODY_BYTES + 1), headers: JSON_TYPE }));
    expect(error.code).toBe('payload_too_large');
  });

  it.each(['null', '[]', '7', '"text"', 'true'])('that is %s and no object is refused', (body) => {
    const schemas = { body: z.strictObject({ name: z.string().optional() }) };
    expect(refusal(() => read({ body, headers: JSON_TYPE }, schemas)).code).toBe('invalid_request');
  });

  it('for a route that takes none must be empty', () => {
    expect(refusal(() => read({ json: { a: 1 } }, {})).errors).toEqual([
      { path: 'a', reason: 'is not a known field' },
    ]);
  });
});

describe('faults', () => {
  it('are all told at once, each with its place and never with what was there', () => {
    const error = refusal(() =>
      read(
        { json: { name: 'hunter2', tags: ['a', 7], surplus: 'hunter2' }, query: { q: 'hunter2' } },
        { body: BODY, query: z.strictObject({ limit: z.string() }) },
      ),
    );
    expect(error.code).toBe('invalid_request');
    expect(error.errors?.map(({ path }) => path).toSorted()).toEqual([
      'limit',
      'name',
      'q',
      'surplus',
      'tags.1',
    ]);
    expect(JSON.stringify(error.errors)).not.toContain('hunter2');
  });

  it('name a field at most by its first 64 characters', () => {
    const error = refusal(() => read({ json: { name: 'a', ['s'.repeat(1_000)]: 1 } }));
    expect(error.errors).toEqual([{ path: 's'.repeat(64), reason: 'is not a known field' }]);
  });

  it('of a hostile body stay few enough to be told in one answer', () => {
    const surplus = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, 1]));
    const error = refusal(() => read({ json: { name: 'a', ...surplus } }));
    expect(error.errors?.length).toBeLessThanOrEqual(100);
  });

  it('of a parameter that is given twice name it', () => {
    const error = refusal(() => read({ query: { limit: ['1', '2'] } }, {}));
    expect(error.errors).toEqual([{ path: 'limit', reason: 'is given more than once' }]);
  });
});

describe('headers', () => {
  const context = (headers: Record<string, string>) =>
    readContext(readRequest(apiEvent({ method: 'POST', path: '/', headers })), callerWith({}).principal);

  it('without any there are no preconditions, and the address is what the edge saw', () => {
    const read = context({ 'X-Forwarded-For': '192.0.2.66', Forwarded: 'for=192.0.2.66' });
    expect(read).toMatchObject({ ip: '203.0.113.7', userAgent: 'test' });
    expect(read).not.toHaveProperty('precondition');
    expect(read).not.toHaveProperty('idempotencyKey');
  });

  it.each([
    ['"v3"', [3]],
    ['*', '*'],
    [' * ', '*'],
    ['"v1", "v12"', [1, 12]],
    ['W/"v3"', []],
    ['"v1", W/"v3"', [1]],
    ['v3', []],
    ['"v03"', []],
    ['"v0"', []],
    ['"3"', []],
    ['"v3', []],
    ['', []],
    ['"v999999999999999"', [999_999_999_999_999]],
    ['"v9999999999999999"', []],
  ])('If-Match: %s compares strongly', (header, ifMatch) => {
    expect(context({ 'If-Match': header }).precondition).toEqual({ ifMatch });
  });

  it.each([
    ['"v3"', [3]],
    ['W/"v3"', [3]],
    ['*', '*'],
    ['"v1", W/"v2", "other"', [1, 2]],
    ['w/"v3"', []],
  ])('If-None-Match: %s compares weakly', (header, ifNoneMatch) => {
    expect(context({ 'If-None-Match': header }).precondition).toEqual({ ifNoneMatch });
  });

  it('both may be given', () => {
    const headers = { 'if-match': '"v1"', 'IF-NONE-MATCH': '"v2"' };
    expect(context(headers).precondition).toEqual({ ifMatch: [1], ifNoneMatch: [2] });
  });

  it.each(['a', '~'.repeat(255), 'a:b/c"d'])('an Idempotency-Key may be %p', (key) => {
    expect(context({ 'Idempotency-Key': key }).idempotencyKey).toBe(key);
  });

  it.each(['', ' ', 'a b', 'a\tb', 'é', '~'.repeat(256)])('an Idempotency-Key may not be %p', (key) => {
    expect(refusal(() => context({ 'Idempotency-Key': key })).errors?.[0]?.path).toBe('Idempotency-Key');
  });
});

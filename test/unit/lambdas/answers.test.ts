import { type ErrorCode, VaultError } from '../../../core/kernel/errors.ts';
import { problemResponse, statusOf, toVaultError } from '../../../lambdas/api/http/problem.ts';
import { toResult } from '../../../lambdas/api/http/result.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';

/** Every code with its status; a new code does not compile until it is here. */
const STATUSES: Record<ErrorCode, number> = {
  invalid_request: 400,
  malformed_json: 400,
  invalid_cursor: 400,
  unauthenticated: 401,
  setup_refused: 401,
  login_refused: 401,
  code_refused: 401,
  link_refused: 401,
  plan_limit_exceeded: 402,
  forbidden: 403,
  not_in_plan: 403,
  csrf_refused: 403,
  step_up_required: 403,
  mfa_enrollment_required: 403,
  password_change_required: 403,
  not_found: 404,
  secret_deleted: 404,
  method_not_allowed: 405,
  name_taken: 409,
  not_deleted: 409,
  recovery_window_over: 409,
  namespace_not_empty: 409,
  already_revoked: 409,
  already_rotated: 409,
  already_member: 409,
  last_owner: 409,
  mfa_already_on: 409,
  mfa_not_on: 409,
  mfa_required: 409,
  workspace_not_empty: 409,
  too_many_workspaces: 409,
  too_many_webhooks: 409,
  alert_closed: 409,
  finding_closed: 409,
  import_conflict: 409,
  log_too_large: 409,
  key_in_use: 409,
  concurrent_change: 409,
  not_sealed: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  idempotency_key_reused: 422,
  key_refused: 422,
  receiver_refused: 422,
  rate_limited: 429,
  login_locked: 429,
  internal: 500,
  key_unavailable: 503,
  breach_check_unavailable: 503,
  unavailable: 503,
};

it.each(Object.entries(STATUSES))('%s is a problem document of status %i', (name, status) => {
  const code = name as ErrorCode;
  const { text = '', headers, ...rest } = problemResponse(new VaultError(code, 'A sentence.'), 'request-1');
  expect(rest).toEqual({ status });
  expect(statusOf(code)).toBe(status);
  expect(headers?.['Content-Type']).toBe('application/problem+json');
  expect(JSON.parse(text)).toEqual({
    type: 'about:blank',
    title: expect.stringMatching(/^[A-Z]/),
    status,
    detail: 'A sentence.',
    code,
    requestId: 'request-1',
  });
});

it('says when to come back, which methods there are, and how to authenticate', () => {
  const headers = (code: ErrorCode, options = {}) =>
    problemResponse(new VaultError(code, '', options), '').headers;
  expect(headers('unavailable', { retryAfter: 2 })).toMatchObject({ 'Retry-After': '2' });
  expect(headers('method_not_allowed', { allow: ['GET', 'PUT'] })).toMatchObject({ Allow: 'GET, PUT' });
  expect(headers('unauthenticated')).toMatchObject({ 'WWW-Authenticate': 'Bearer realm="lockzero"' });
  expect(headers('forbidden')).not.toHaveProperty('WWW-Authenticate');
});

it('lists the faults of the input', () => {
  const errors = [{ path: 'name', reason: 'must not be empty' }];
  const { text = '' } = problemResponse(new VaultError('invalid_request', '', { errors }), '');
  expect(JSON.parse(text)).toMatchObject({ errors });
});

it.each([new Error('hunter2'), 'hunter2', undefined, { code: 'forbidden', message: 'hunter2' }])(
  'what is no error of the vault says nothing of itself: %p',
  (thrown) => {
    const error = toVaultError(thrown);
    expect(error).toMatchObject({ code: 'internal', cause: thrown });
    expect(problemResponse(error, '').text).not.toContain('hunter2');
  },
);

describe('every answer', () => {
  const SECURITY = {
    'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
    'Content-Security-Policy': expect.stringContaining("default-src 'none'"),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': expect.stringContaining('camera=()'),
    'Cache-Control': 'no-store',
    'X-Request-Id': 'request-1',
  };

  it.each([
    ['JSON', { status: 200, json: { a: 1 } }, '{"a":1}', 'application/json'],
    ['text', { status: 200, headers: { 'Content-Type': 'text/csv' }, text: 'a' }, 'a', 'text/csv'],
    ['nothing', { status: 204 }, '', undefined],
    ['a problem', problemResponse(new VaultError('internal', ''), ''), undefined, 'application/problem+json'],
  ])('of %s has the security headers', (_, response, body, type) => {
    const result = toResult(response, 'request-1');
    expect(result.headers).toMatchObject(SECURITY);
    expect(result.headers?.['Content-Type']).toBe(type);
    if (body !== undefined) expect(result.body).toBe(body);
  });
});

describe('a CSV file', () => {
  it('quotes what needs it, and has a header line and CRLF (RFC 4180)', async () => {
    const world = await apiWorld();
    const json = { namespace: 'n', name: 'odd', value: 'v', description: 'a "b", c\r\nd', tags: ['x', 'y'] };
    await world.prepare({ method: 'POST', path: '/secrets', json });
    const { text = '', headers } = await callApi(world.vault, {
      method: 'GET',
      path: '/secrets/export',
      token: world.ownerToken,
    });
    expect(headers).toMatchObject({ 'Content-Disposition': 'attachment; filename="secrets.csv"' });
    expect(text.split('\r\n')[0]).toBe(
      'id,namespace,name,description,tags,isCUI,version,createdAt,createdBy,updatedAt,updatedBy',
    );
    expect(text).toContain(',n,odd,"a ""b"", c\r\nd",x y,false,1,');
    expect(text.endsWith('\r\n')).toBe(true);
  });

  it('of the audit trail has the promised columns', async () => {
    const world = await apiWorld();
    const { text = '' } = await callApi(world.vault, {
      method: 'GET',
      path: '/audit/export',
      token: world.ownerToken,
    });
    const [header, first] = text.split('\r\n');
    expect(header).toBe('id,actorUserId,action,entityType,entityId,ipAddress,createdAt');
    expect(first).toBe(
      `0-1,setup,workspace.created,workspace,${world.workspaceId},203.0.113.7,2026-01-01T00:00:00.000Z`,
    );
  });
});

describe('cursors', () => {
  it('lead through all pages, for the same caller and filters alone', async () => {
    const world = await apiWorld();
    for (const name of ['a', 'b', 'c', 'd']) await world.secret(name);
    const get = async (query: Record<string, string>, token = world.ownerToken) => {
      const { json, text } = await callApi(world.vault, { method: 'GET', path: '/secrets', query, token });
      return (json ?? JSON.parse(text ?? '{}')) as {
        items: { name: string }[];
        nextCursor: string | null;
        code?: string;
      };
    };
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await get({ limit: '2', ...(cursor === null ? {} : { cursor }) });
      found.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(found).toHaveLength(5);

    const { nextCursor } = await get({ limit: '2' });
    const wrong: Record<string, string>[] = [
      { cursor: `${nextCursor}x` },
      { cursor: 'forged' },
      { cursor: nextCursor ?? '', isCUI: 'true' },
    ];
    for (const query of wrong) expect((await get(query)).code).toBe('invalid_cursor');
    // Another page size goes on from the same place.
    expect((await get({ cursor: nextCursor ?? '', limit: '100' })).items).toHaveLength(3);
  });
});

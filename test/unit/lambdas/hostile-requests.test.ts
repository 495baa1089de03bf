import { csvText } from '../../../lambdas/api/routes/csv.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { rowsOf } from '../../support/memory-vault.ts';

/** Requests that are meant to hurt: each has its own guard. */

describe('a bulk reveal', () => {
  it.each([
    ['nothing', ''],
    ['a key of the table', 'a#b'],
    ['half a character', '\ud800'],
    ['one digit too many', `sec_${'0'.repeat(33)}`],
  ])('of an id that is %s is refused, and the refusal recorded', async (_, id) => {
    const { vault, workspaceId, ownerToken } = await apiWorld();
    const json = { ids: [`sec_${'0'.repeat(32)}`, id] };
    const response = await callApi(vault, {
      method: 'POST',
      path: '/secrets/reveal',
      json,
      token: ownerToken,
    });
    expect([response.status, problemCode(response)]).toEqual([400, 'invalid_request']);
    expect(JSON.parse(response.text ?? '{}').errors).toEqual([
      { path: 'ids.1', reason: 'must be the id of a secret' },
    ]);
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({ result: 'failure' });
  });
});

it.each(['env', 'json'])('an import of %s with half a character in it is refused', async (format) => {
  const { vault, ownerToken } = await apiWorld();
  const json = { format, namespace: 'n', content: '# \ud800\nA=1' };
  const response = await callApi(vault, {
    method: 'POST',
    path: '/secrets/import',
    json,
    token: ownerToken,
    headers: { 'Idempotency-Key': 'k' },
  });
  expect([response.status, problemCode(response)]).toEqual([400, 'invalid_request']);
});

it('a body with sixty thousand faults is answered with a hundred', async () => {
  const { vault } = await apiWorld();
  const json = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`f${index}`, 1]));
  const response = await callApi(vault, { method: 'POST', path: '/setup', json });
  expect(response.status).toBe(400);
  expect(JSON.parse(response.text ?? '{}').errors).toHaveLength(100);
  expect(Buffer.byteLength(response.text ?? '')).toBeLessThan(100_000);
});

describe('text of a CSV file', () => {
  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'])('that %j begins is no formula', (text) => {
    expect(csvText(text)).toBe(`'${text}`);
  });

  it.each(['', 'plain', 'a=1', ' =1', "'=1"])('%j is left as it is', (text) => {
    expect(csvText(text)).toBe(text);
  });

  it('is guarded in the export of secrets, where tenants write it', async () => {
    const { vault, ownerToken: token } = await apiWorld();
    const json = {
      namespace: 'prod',
      name: 'x',
      value: 'v',
      description: '=HYPERLINK("https://198.51.100.1")',
      tags: ['@a', 'b'],
    };
    await callApi(vault, { method: 'POST', path: '/secrets', json, token });
    const { text } = await callApi(vault, { method: 'GET', path: '/secrets/export', token });
    expect(text).toContain(`"'=HYPERLINK(""https://198.51.100.1"")",'@a b,`);
  });
});

it('a rotation repeated with its Idempotency-Key shows no key again, and one without is refused', async () => {
  const { vault, ownerToken: token } = await apiWorld();
  const input = { name: 'ci', role: 'viewer', namespaces: ['*'] };
  const made = await callApi(vault, { method: 'POST', path: '/api-keys', json: input, token });
  const { id } = made.json as { id: string };
  const rotate = (headers: Record<string, string> = {}) =>
    callApi(vault, {
      method: 'POST',
      path: `/api-keys/${id}/rotate`,
      json: { overlapSeconds: 60 },
      token,
      headers,
    });
  const once = { 'Idempotency-Key': 'once' };
  const [first, again] = [await rotate(once), await rotate(once)];
  const { key, ...successor } = first.json as { key: string };
  expect(key).toMatch(/^lz_/);
  expect([again.status, again.json]).toEqual([201, successor]);
  const second = await rotate();
  expect([second.status, problemCode(second)]).toEqual([409, 'already_rotated']);
});

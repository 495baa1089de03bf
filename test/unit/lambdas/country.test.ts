import { problemResponse, toVaultError } from '../../../lambdas/api/http/problem.ts';
import { readRequest } from '../../../lambdas/api/http/request.ts';
import { routes } from '../../../lambdas/api/routes/index.ts';
import { serve } from '../../../lambdas/api/serve.ts';
import { apiWorld } from '../../support/api-world.ts';
import { type ApiCall, apiEvent } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, PASSWORD } from '../../support/people.ts';

const HEADER = 'cloudfront-viewer-country';

/** One request to a vault that takes the country from a header, or from none. */
async function send(vault: MemoryVault, call: ApiCall, countryHeader?: string): Promise<number> {
  const request = readRequest(apiEvent(call), countryHeader);
  try {
    return (await serve(vault, routes, request)).status;
  } catch (error) {
    return problemResponse(toVaultError(error), request.id).status;
  }
}

const from = (country: string) => ({ 'CloudFront-Viewer-Country': country });
const LIST = { method: 'GET', path: '/namespaces' };

it('is in the rows of a request, whatever becomes of it', async () => {
  const { vault, workspaceId, ownerToken } = await apiWorld();
  const before = rowsOf(vault, workspaceId).length;
  expect(await send(vault, { ...LIST, token: ownerToken, headers: from('DE') }, HEADER)).toBe(200);
  const absent = { method: 'GET', path: '/secrets/sec_00000000000000000000000000000000' };
  expect(await send(vault, { ...absent, token: ownerToken, headers: from('FR') }, HEADER)).toBe(404);
  expect(
    await send(
      vault,
      { ...LIST, token: ownerToken, headers: { ...from('IT'), 'Idempotency-Key': 'a b' } },
      HEADER,
    ),
  ).toBe(400);
  const rows = rowsOf(vault, workspaceId).slice(before);
  expect(rows.map(({ detail }) => detail['country'])).toEqual(['DE', 'FR', 'IT']);
});

it('is in the rows of logins, and of those that fail', async () => {
  const { vault, workspaceId } = await apiWorld();
  const { id } = await addPerson(vault, workspaceId, { email: 'ada@example.com', role: 'viewer' });
  const login = (password: string, country: string) =>
    send(
      vault,
      {
        method: 'POST',
        path: '/auth/login',
        json: { email: 'ada@example.com', password },
        headers: { ...from(country), Origin: vault.publicUrl },
      },
      HEADER,
    );
  expect(await login('not-this-one', 'BR')).toBe(401);
  expect(await login(PASSWORD, 'NL')).toBe(200);
  expect(await send(vault, { ...LIST, token: `lz_${'0'.repeat(43)}`, headers: from('JP') }, HEADER)).toBe(
    401,
  );
  const failed = rowsOf(vault, workspaceId, 1).filter(({ entity }) => entity.id === id);
  expect(failed.map(({ detail }) => detail)).toEqual([{ reason: 'wrong_password', country: 'BR' }]);
  const succeeded = rowsOf(vault, workspaceId).filter(({ action }) => action === 'authentication.succeeded');
  expect(succeeded.map(({ detail }) => detail['country'])).toEqual(['NL']);
  expect(rowsOf(vault, '_platform', 1).at(-1)?.detail).toEqual({ reason: 'unknown', country: 'JP' });
});

it('is nothing that a client can set where there is no edge', async () => {
  const { vault, workspaceId, ownerToken } = await apiWorld();
  expect(await send(vault, { ...LIST, token: ownerToken, headers: from('DE') })).toBe(200);
  expect(rowsOf(vault, workspaceId).at(-1)?.detail).not.toHaveProperty('country');
});

it.each(['XX', 'ZZ', 'T1', 'de', 'DEU', 'D', '', ' DE', 'DE, FR', 'Ⅾ€'])(
  'is unknown where the header says %j',
  (country) => {
    expect(readRequest(apiEvent({ ...LIST, headers: from(country) }), HEADER).country).toBeUndefined();
  },
);

it('is unknown where the header came twice', () => {
  const event = { ...apiEvent(LIST), multiValueHeaders: { [HEADER]: ['DE', 'DE'] } };
  expect(readRequest(event, HEADER).country).toBeUndefined();
});

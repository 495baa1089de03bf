import { callApi, problemCode } from '../../support/call-api.ts';
import { PASSWORD } from '../../support/people.ts';
import { connected, errorOf, oauthWorld, refresh, statusWith } from '../oauth/oauth-world.ts';

interface Listed {
  readonly id: string;
  readonly client: string;
  readonly current: boolean;
}

it("ASVS 10.3.4: a client reveals nothing before its person's step-up, and with no token from before it", async () => {
  const { vault } = await oauthWorld();
  const { access_token, refresh_token } = await connected(vault);
  const post = (path: string, token: string, json?: object) =>
    callApi(vault, { method: 'POST', path, token, ...(json === undefined ? {} : { json }) });
  const made = await post('/secrets', access_token, { namespace: 'prod', name: 'api', value: 'hush' });
  const { id } = made.json as { readonly id: string };
  const reveal = (token: string) => post(`/secrets/${id}/reveal`, token);
  expect(problemCode(await reveal(access_token))).toBe('step_up_required');

  const { json } = await post('/auth/step-up', access_token, { password: PASSWORD });
  const { tokens } = json as { readonly tokens: { accessToken: string; refreshToken: string } };
  expect((await reveal(tokens.accessToken)).json).toMatchObject({ value: 'hush' });
  expect(problemCode(await reveal(access_token))).toBe('unauthenticated');
  expect(errorOf(await refresh(vault, refresh_token))).toEqual([400, 'invalid_grant']);
  expect((await refresh(vault, tokens.refreshToken)).status).toBe(200);
});

it('ASVS 10.4.9, 10.7.3: people see what they have let act for them, and end it, refresh token and all', async () => {
  const { vault } = await oauthWorld();
  const { browser, access_token, refresh_token } = await connected(vault);
  const list = async () => ((await browser.get('/auth/sessions')).body as { items: readonly Listed[] }).items;
  const before = await list();
  expect(before.map(({ client, current }) => `${client} ${current}`).toSorted()).toEqual([
    'browser true',
    'lockzero-cli false',
  ]);
  const consent = before.find(({ client }) => client === 'lockzero-cli');
  expect((await browser.send('DELETE', `/auth/sessions/${consent?.id}`)).status).toBe(204);
  expect(await statusWith(vault, access_token)).toBe(401);
  expect(errorOf(await refresh(vault, refresh_token))).toEqual([400, 'invalid_grant']);
  expect((await list()).map(({ client }) => client)).toEqual(['browser']);
});

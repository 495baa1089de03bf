import { rowsOf } from '../../support/memory-vault.ts';
import { loggedIn } from '../../support/people.ts';
import { connected, EMAIL, errorOf, oauthWorld, post, refresh, statusWith, tokensOf } from './oauth-world.ts';

async function world() {
  const made = await oauthWorld();
  const tokens = await connected(made.vault);
  const revoke = (token: string, change: { readonly [name: string]: string } = {}) =>
    post(made.vault, '/oauth/revoke', { client_id: 'lockzero-cli', token, ...change });
  const actions = () => rowsOf(made.vault, made.workspaceId).map(({ action }) => action);
  return { ...made, ...tokens, revoke, actions };
}

it.each([
  ['refresh', 'refresh_token'],
  ['access', 'access_token'],
] as const)(
  'I6 RFC 7009: revoking its %s token ends the session with the next request; recorded',
  async (_, name) => {
    const { vault, revoke, actions, ...tokens } = await world();
    for (const hint of [name, 'something_else']) {
      expect(await revoke(tokens[name], { token_type_hint: hint })).toMatchObject({ status: 200, text: '' });
    }
    expect(await statusWith(vault, tokens.access_token)).toBe(401);
    expect(errorOf(await refresh(vault, tokens.refresh_token))).toEqual([400, 'invalid_grant']);
    expect(actions().filter((action) => action === 'oauth.token_revoked')).toHaveLength(1);
  },
);

it('RFC 7009 section 2.2: a token that is not known is as good as revoked', async () => {
  const { vault, revoke, access_token, actions } = await world();
  const others = [`lzr_${'A'.repeat(43)}`, 'nonsense', `${access_token}x`, access_token.slice(0, -4)];
  for (const token of others) expect((await revoke(token)).status).toBe(200);
  expect(await statusWith(vault, access_token)).toBe(200);
  expect(actions()).not.toContain('oauth.token_revoked');
});

it("RFC 7009 section 2.1: a client revokes its own tokens, not another's, nor a browser's", async () => {
  const { vault, revoke, access_token, refresh_token } = await world();
  for (const token of [access_token, refresh_token])
    expect((await revoke(token, { client_id: 'lockzero-sdk' })).status).toBe(200);
  expect(await statusWith(vault, access_token)).toBe(200);

  const browser = await loggedIn(vault, EMAIL);
  for (const cookie of browser.cookies.values()) await revoke(cookie);
  expect((await browser.get('/auth/session')).status).toBe(200);
});

it('a token that opens nothing any more ends nothing: expired, or from before a step-up', async () => {
  const { vault, revoke, access_token, refresh_token } = await world();
  vault.clock.advance(5 * 60_000);
  const second = tokensOf(await refresh(vault, refresh_token));
  await revoke(access_token);
  expect(await statusWith(vault, second.access_token)).toBe(200);
});

it('a refresh token that was used already still tells its session: revoking it ends that', async () => {
  const { vault, revoke, refresh_token } = await world();
  const { access_token } = tokensOf(await refresh(vault, refresh_token));
  await revoke(refresh_token);
  expect(await statusWith(vault, access_token)).toBe(401);
});

it.each([
  [{ client_id: 'nobody' }, 'invalid_client'],
  [{ client_id: '' }, 'invalid_client'],
  [{ token: '' }, 'invalid_request'],
])('RFC 7009 section 2.2.1: %j is answered with an error of RFC 6749', async (change, error) => {
  const { revoke } = await world();
  expect(errorOf(await revoke('t', change))).toEqual([400, error]);
});

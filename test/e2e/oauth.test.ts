import * as client from 'openid-client';
import { withDevVault } from '../support/api.ts';

const REDIRECT_URI = 'http://127.0.0.1:51004/callback';

/** As much of a browser as the pages need: cookies, forms, and redirects that are followed by hand. */
class PlainBrowser {
  readonly #cookies = new Map<string, string>();

  async open(url: URL, form?: URLSearchParams): Promise<Response> {
    const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      headers: { Cookie: cookies, ...(form === undefined ? {} : { Origin: url.origin }) },
      redirect: 'manual',
      ...(form === undefined ? {} : { body: form }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      this.#cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return response;
  }

  /** Fills in the form of a page and submits it: where the browser is sent then. */
  async submit(page: Response, fields: { readonly [name: string]: string }): Promise<URL> {
    const text = await page.text();
    const [, action = ''] = /<form method="post" action="([^"]+)">/.exec(text) ?? [];
    const form = new URLSearchParams(fields);
    for (const [, name = '', value = ''] of text.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g))
      form.set(name, value);
    const answer = await this.open(new URL(action, page.url), form);
    expect(answer.status).toBe(303);
    return new URL(answer.headers.get('location') ?? '', page.url);
  }
}

withDevVault('I6 OAuth with a client of another make (openid-client)', (vault) => {
  const discover = () =>
    client.discovery(new URL(vault.url), 'lockzero-cli', undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    });

  /** The way through the browser: an authorization request, the login, the decision. */
  async function allow(config: client.Configuration) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
    });
    const browser = new PlainBrowser();
    const consent = await browser.submit(await browser.open(url), { ...vault.config.owner });
    const callback = await browser.submit(await browser.open(consent), { decision: 'allow' });
    return { callback, checks: { pkceCodeVerifier, expectedState } };
  }

  it('discovers the server by its address (RFC 8414)', async () => {
    const metadata = (await discover()).serverMetadata();
    expect(metadata.issuer).toBe(vault.url);
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true);
    expect(metadata.supportsPKCE()).toBe(true);
  });

  it('logs in, uses the API, refreshes and revokes; then the token answers 401', async () => {
    const config = await discover();
    const { callback, checks } = await allow(config);
    const first = await client.authorizationCodeGrant(config, callback, checks);
    expect(first.expires_in).toBe(300);

    const asOwner = await vault.as(first.access_token).get('/auth/session');
    expect(asOwner.status).toBe(200);
    expect(asOwner.json).toMatchObject({
      user: { email: vault.config.owner.email },
      session: { client: 'lockzero-cli' },
    });

    const second = await client.refreshTokenGrant(config, first.refresh_token ?? '');
    expect((await vault.as(second.access_token).get('/secrets')).status).toBe(200);
    expect(second.refresh_token).not.toBe(first.refresh_token);

    await client.tokenRevocation(config, second.refresh_token ?? '');
    expect((await vault.as(second.access_token).get('/secrets')).status).toBe(401);
    await expect(client.refreshTokenGrant(config, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('a code works once: the second use is refused, and ends what came of the first', async () => {
    const config = await discover();
    const { callback, checks } = await allow(config);
    const tokens = await client.authorizationCodeGrant(config, callback, checks);
    await expect(client.authorizationCodeGrant(config, callback, checks)).rejects.toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    expect((await vault.as(tokens.access_token).get('/secrets')).status).toBe(401);
  });

  it('RFC 7636: a code is of no use without its verifier', async () => {
    const config = await discover();
    const { callback, checks } = await allow(config);
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    await expect(
      client.authorizationCodeGrant(config, callback, { ...checks, pkceCodeVerifier }),
    ).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('everything that happened is in the audit trail, which holds', async () => {
    const { items } = (await vault.owner.get('/audit?limit=100')).json as { items: { action: string }[] };
    const actions = new Set(items.map(({ action }) => action));
    for (const action of [
      'oauth.authorized',
      'authentication.succeeded',
      'session.refreshed',
      'oauth.token_revoked',
      'oauth.code_reused',
    ]) {
      expect(actions).toContain(action);
    }
    expect((await vault.owner.post('/audit/verify', { json: {} })).json.ok).toBe(true);
  });
});

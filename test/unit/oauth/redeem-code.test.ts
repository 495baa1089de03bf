import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { ABSOLUTE_MS } from '../../../core/identity/session.ts';
import { remove } from '../../../core/kernel/entity.ts';
import { membershipKind } from '../../../core/members/membership.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { callApi } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Browser, PASSWORD } from '../../support/people.ts';
import {
  answerOf,
  clientSessions,
  codeOf,
  decide,
  EMAIL,
  errorOf,
  granted,
  hiddenFields,
  oauthWorld,
  openConsent,
  REQUEST,
  redeem,
  refresh,
  statusWith,
  submit,
  switchMfaOn,
  tokensOf,
  VERIFIER,
} from './oauth-world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const INVALID_GRANT = [400, 'invalid_grant'];

async function world() {
  const made = await oauthWorld();
  const rows = (lane = 0) => rowsOf(made.vault, made.workspaceId, lane);
  const actions = () => rows().map(({ action }) => action);
  const reasons = () => rows(1).map(({ detail }) => detail['reason']);
  return { ...made, ...(await granted(made.vault)), rows, actions, reasons };
}

/** The session that an access token is of, as its client sees it. */
async function sessionOf(vault: MemoryVault, token: string) {
  const { json } = await callApi(vault, { method: 'GET', path: '/auth/session', token });
  return json as {
    readonly session: {
      readonly id: string;
      readonly client: string;
      readonly mfa: boolean;
      readonly expiresAt: string;
    };
    readonly workspace: { readonly id: string };
  };
}

it('I6 RFC 6749 section 5.1: a code and its verifier give tokens that work, and are not to be stored', async () => {
  const { vault, workspaceId, code, rows } = await world();
  const answer = await redeem(vault, code);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({ Pragma: 'no-cache' });
  expect(answer.json).toEqual({
    access_token: expect.stringMatching(/^ey/),
    token_type: 'Bearer',
    expires_in: 300,
    refresh_token: expect.stringMatching(/^lzr_[\w-]{43}$/),
  });
  expect(answer.cookies).toBeUndefined();
  expect(rows().at(-1)).toMatchObject({
    action: 'authentication.succeeded',
    detail: { method: 'oauth', client: 'lockzero-cli' },
  });
  const { access_token } = tokensOf(answer);
  expect(await statusWith(vault, access_token)).toBe(200);
  expect(await sessionOf(vault, access_token)).toMatchObject({
    session: { client: 'lockzero-cli', mfa: false },
    workspace: { id: workspaceId },
  });
});

it('leaves neither code nor verifier nor token in the tables or the trail', async () => {
  const { vault, code, rows } = await world();
  const { access_token, refresh_token } = tokensOf(await redeem(vault, code));
  await redeem(vault, code, { code_verifier: 'w'.repeat(43) });
  const everything = JSON.stringify([...vault.tables.entities.values(), ...rows(), ...rows(1)]);
  for (const secret of [code, VERIFIER, access_token, refresh_token])
    expect(everything).not.toContain(secret);
});

it('I6 a code lives for 60 seconds', async () => {
  const { vault, code, browser } = await world();
  vault.clock.advance(60 * SECOND_MS - 1);
  expect((await redeem(vault, code)).status).toBe(200);
  const { code: late = '' } = answerOf(await decide(browser, 'allow'));
  vault.clock.advance(60 * SECOND_MS);
  expect(errorOf(await redeem(vault, late))).toEqual(INVALID_GRANT);
});

it.each([
  ['RFC 7636: with another verifier', { code_verifier: `${VERIFIER.slice(0, -1)}l` }, 'code_verifier'],
  ['RFC 7636: with the challenge for a verifier', { code_verifier: REQUEST.code_challenge }, 'code_verifier'],
  ['RFC 7636: with a verifier of 42 characters', { code_verifier: 'v'.repeat(42) }, 'code_verifier'],
  ['RFC 7636: with a verifier of 129 characters', { code_verifier: 'v'.repeat(129) }, 'code_verifier'],
  ['RFC 7636: with a reserved character in it', { code_verifier: `${'v'.repeat(43)}+` }, 'code_verifier'],
  ['with another port', { redirect_uri: 'http://127.0.0.1:51005/callback' }, 'code_redirect_uri'],
  ['with another address', { redirect_uri: 'http://[::1]:51004/callback' }, 'code_redirect_uri'],
  ['from another client', { client_id: 'lockzero-sdk' }, 'code_unknown'],
  ['that nobody made', { code: `lzc_${'A'.repeat(43)}` }, 'code_unknown'],
  ['that could be none', { code: 'x' }, 'code_unknown'],
])('I6 a code %s opens nothing, is recorded, and still works for its client', async (_, change, reason) => {
  const { vault, code, workspaceId } = await world();
  expect(errorOf(await redeem(vault, code, change))).toEqual(INVALID_GRANT);
  const recorded = rowsOf(vault, reason === 'code_unknown' ? '_platform' : workspaceId, 1);
  expect(recorded.at(-1)).toMatchObject({ action: 'authentication.failed', detail: { reason } });
  expect((await redeem(vault, code)).status).toBe(200);
});

describe('a code dies with the session that granted it', () => {
  it.each([
    ['logging out', (browser: Browser) => browser.post('/auth/logout')],
    [
      'logging out everywhere',
      async (browser: Browser) => {
        await browser.stepUp();
        return browser.post('/auth/sessions/revoke-all');
      },
    ],
    [
      'a new password',
      (browser: Browser) =>
        browser.post('/auth/password', { currentPassword: PASSWORD, newPassword: 'Another-Horse-8-Staple' }),
    ],
  ])('by %s', async (_, end) => {
    const { vault, code, browser } = await world();
    expect((await end(browser)).status).toBe(204);
    expect(errorOf(await redeem(vault, code))).toEqual(INVALID_GRANT);
  });

  it('by being removed from the workspace', async () => {
    const { vault, workspaceId, user, code } = await world();
    const membership = await vault.store.get(membershipKind, workspaceId, user.id);
    if (membership === undefined) throw new Error('There is no membership.');
    await vault.trail.commit(systemOrigin(workspaceId), [
      {
        action: 'member.removed',
        entity: { type: 'user', id: user.id },
        result: 'success',
        changes: [remove(membershipKind, membership)],
      },
    ]);
    expect(errorOf(await redeem(vault, code))).toEqual(INVALID_GRANT);
  });

  it('and where nobody can tell when that was last used', async () => {
    const { vault, code } = await world();
    jest.spyOn(vault.bookkeeping, 'sessionsSeen').mockResolvedValue(new Map());
    expect(errorOf(await redeem(vault, code))).toEqual(INVALID_GRANT);
  });
});

it('whoever allows a client uses the session: after 29 minutes its code works', async () => {
  const { vault, browser } = await world();
  const page = await openConsent(browser);
  vault.clock.advance(29 * MINUTE_MS);
  browser.cookies.delete('__Host-lockzero_access');
  const fields = { ...hiddenFields(page), decision: 'allow' };
  const { code = '' } = answerOf(await submit(browser, '/oauth/authorize', fields));
  vault.clock.advance(50 * SECOND_MS);
  expect((await redeem(vault, code)).status).toBe(200);
});

describe('what a code opens is no more than what granted it', () => {
  it('lasts no longer, however often it is refreshed', async () => {
    const { vault, browser, code } = await world();
    const { access_token } = tokensOf(await redeem(vault, code));
    const end = (await sessionOf(vault, access_token)).session.expiresAt;
    expect(Date.parse(end)).toBe(vault.clock.now() + ABSOLUTE_MS);

    vault.clock.advance(20 * MINUTE_MS);
    browser.cookies.delete('__Host-lockzero_access');
    const { code: later = '' } = answerOf(await decide(browser, 'allow'));
    const second = tokensOf(await redeem(vault, later));
    expect((await sessionOf(vault, second.access_token)).session.expiresAt).toBe(end);
    const third = tokensOf(await refresh(vault, second.refresh_token));
    expect((await sessionOf(vault, third.access_token)).session.expiresAt).toBe(end);
  });

  it('has shown a second factor if that has', async () => {
    const { vault, browser } = await world();
    const { totp } = await switchMfaOn(vault, browser);
    const other = new Browser(vault);
    const page = await submit(other, '/oauth/login', { ...REQUEST, email: EMAIL, password: PASSWORD });
    await submit(other, '/oauth/mfa', { ...hiddenFields(page), code: codeOf(vault, totp) });
    const { code = '' } = answerOf(await decide(other, 'allow'));
    const { access_token } = tokensOf(await redeem(vault, code));
    expect((await sessionOf(vault, access_token)).session.mfa).toBe(true);
  });

  it('I5 is not stepped up, though that was', async () => {
    const { vault, browser } = await world();
    await browser.stepUp();
    const { code = '' } = answerOf(await decide(browser, 'allow'));
    const { access_token } = tokensOf(await redeem(vault, code));
    expect((await sessionOf(vault, access_token)).session).not.toHaveProperty('stepUpExpiresAt');
  });

  it('goes on when its browser logs out: it is a session of its own', async () => {
    const { vault, browser, code } = await world();
    const { access_token } = tokensOf(await redeem(vault, code));
    await browser.post('/auth/logout');
    expect(await statusWith(vault, access_token)).toBe(200);
  });
});

describe('I6 a code works once', () => {
  it.each([
    ['as it was', {}],
    ['without the right verifier', { code_verifier: 'w'.repeat(43) }],
  ])('RFC 6749 section 4.1.2: coming again %s it ends the session that came of it', async (_, change) => {
    const { vault, code, actions, reasons } = await world();
    const { access_token, refresh_token } = tokensOf(await redeem(vault, code));
    expect(errorOf(await redeem(vault, code, change))).toEqual(INVALID_GRANT);
    expect(await statusWith(vault, access_token)).toBe(401);
    expect(errorOf(await refresh(vault, refresh_token))).toEqual(INVALID_GRANT);
    expect(actions()).toContain('oauth.code_reused');
    expect(reasons()).toContain('code_used');
  });

  it('is recognized long after it could have been redeemed', async () => {
    const { vault, code } = await world();
    const { refresh_token } = tokensOf(await redeem(vault, code));
    vault.clock.advance(20 * MINUTE_MS);
    const { access_token } = tokensOf(await refresh(vault, refresh_token));
    await redeem(vault, code);
    expect(await statusWith(vault, access_token)).toBe(401);
  });

  it('ends nothing for another client that has got hold of it', async () => {
    const { vault, code } = await world();
    const { access_token } = tokensOf(await redeem(vault, code));
    await redeem(vault, code, { client_id: 'lockzero-sdk' });
    expect(await statusWith(vault, access_token)).toBe(200);
  });

  it('of two at once one wins, and the other ends what that one got', async () => {
    const { vault, code, actions } = await world();
    const answers = await Promise.all([redeem(vault, code), redeem(vault, code)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 400]);
    const won = answers.find(({ status }) => status === 200);
    expect(await statusWith(vault, tokensOf(won ?? answers[0]).access_token)).toBe(401);
    expect(actions().filter((action) => action === 'authentication.succeeded')).toHaveLength(2);
    expect(actions()).toContain('oauth.code_reused');
  });

  it('of 25 at once exactly one wins, and nothing is left alive', async () => {
    const { vault, code } = await world();
    const answers = await Promise.all(Array.from({ length: 25 }, () => redeem(vault, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(clientSessions(vault)).toEqual([]);
  });

  it('where the store fails after it has used the code up, trying again leaves nothing alive', async () => {
    const { vault, code } = await world();
    jest.spyOn(logger, 'error').mockImplementation();
    vault.tables.faults = async ({ name }) => (name.startsWith('ledger.') ? 'after' : 'none');
    expect((await redeem(vault, code)).status).toBe(503);
    vault.tables.faults = async () => 'none';
    expect(clientSessions(vault)).toHaveLength(1);
    expect(errorOf(await redeem(vault, code))).toEqual(INVALID_GRANT);
    expect(clientSessions(vault)).toEqual([]);
  });
});

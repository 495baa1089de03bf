import { callApi } from '../../support/call-api.ts';
import { memoryVault, PUBLIC_URL } from '../../support/memory-vault.ts';
import { answerOf, authorize, formCall, REDIRECT_URI, REQUEST } from './oauth-world.ts';

const { state: STATE, ...WITHOUT_STATE } = REQUEST;

describe.each([
  ['an unknown client', { client_id: 'lockzero-web' }],
  ['no client', { client_id: '' }],
  ['two clients', { client_id: ['lockzero-cli', 'lockzero-sdk'] }],
  ['no redirect URI', { redirect_uri: '' }],
  ['two redirect URIs', { redirect_uri: [REDIRECT_URI, REDIRECT_URI] }],
  ['a redirect URI of somebody else', { redirect_uri: 'https://example.com/callback' }],
  ['a redirect URI that is nearly right', { redirect_uri: `${REDIRECT_URI}/` }],
])('a request with %s', (_, change) => {
  it('RFC 6749 section 4.1.2.1: never sends the browser anywhere', async () => {
    const response = await authorize(memoryVault(), { ...REQUEST, ...change });
    expect(response.status).toBe(400);
    expect(response.headers).toMatchObject({ 'Content-Type': 'text/html; charset=utf-8' });
    expect(response.headers).not.toHaveProperty('Location');
    expect(response.text).not.toContain('example.com');
    expect(response.text).not.toContain('127.0.0.1');
  });
});

it.each([
  ['RFC 6749: no response_type', { response_type: '' }, 'invalid_request'],
  ['RFC 9700: the implicit grant', { response_type: 'token' }, 'unsupported_response_type'],
  ['a hybrid of grants', { response_type: 'code token' }, 'unsupported_response_type'],
  ['response_mode fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ['response_mode form_post', { response_mode: 'form_post' }, 'invalid_request'],
  ['a scope, as there are none', { scope: 'openid' }, 'invalid_scope'],
  ['prompt=none, as a person has to decide', { prompt: 'none' }, 'login_required'],
  ['RFC 7636: no challenge', { code_challenge: '' }, 'invalid_request'],
  ['RFC 7636: the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['RFC 7636: no method, which means plain', { code_challenge_method: '' }, 'invalid_request'],
  ['a challenge of 42 characters', { code_challenge: 'a'.repeat(42) }, 'invalid_request'],
  ['a challenge of 44 characters', { code_challenge: 'a'.repeat(44) }, 'invalid_request'],
  ['a padded challenge', { code_challenge: `${'a'.repeat(42)}=` }, 'invalid_request'],
  ['a challenge of base64 proper', { code_challenge: `${'a'.repeat(42)}+` }, 'invalid_request'],
  ['RFC 6749 section 3.1: a repeated parameter', { response_type: ['code', 'code'] }, 'invalid_request'],
  ['a repeated parameter that is not even known', { tracking: ['1', '2'] }, 'invalid_request'],
])('tells the client of %s', async (_, change, error) => {
  const answer = answerOf(await authorize(memoryVault(), { ...REQUEST, ...change }));
  expect(answer).toEqual({ error, error_description: expect.any(String), state: STATE, iss: PUBLIC_URL });
  expect(answer['error_description']).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
});

it('sends no state back where none came, or more than one, or one without end', async () => {
  const states = [{}, { state: '' }, { state: ['1', '2'] }];
  for (const state of states) {
    const response = await authorize(memoryVault(), { ...WITHOUT_STATE, ...state, response_type: 'token' });
    expect(answerOf(response)).not.toHaveProperty('state');
  }
  const endless = await authorize(memoryVault(), { ...REQUEST, state: 's'.repeat(2_049) });
  expect(answerOf(endless)).toEqual(expect.objectContaining({ error: 'invalid_request' }));
  expect(answerOf(endless)).not.toHaveProperty('state');
});

it('RFC 6749 section 3.1: ignores parameters that it does not know, and empty ones', async () => {
  const response = await authorize(memoryVault(), {
    ...REQUEST,
    scope: '',
    prompt: '',
    resource: 'x',
    nonce: 'n',
  });
  expect(response.status).toBe(200);
  expect(response.text).toContain('<h1>Log in</h1>');
});

it('finds the same faults in a form as in a query', async () => {
  for (const path of ['/oauth/authorize', '/oauth/login', '/oauth/mfa']) {
    const send = (change: object) =>
      callApi(memoryVault(), { method: 'POST', path, ...formCall({ ...REQUEST, ...change }) });
    expect((await send({ client_id: 'nobody' })).status).toBe(400);
    expect(answerOf(await send({ code_challenge_method: 'plain' }))['error']).toBe('invalid_request');
  }
});

import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { callApi } from '../../support/call-api.ts';
import { memoryVault, PUBLIC_URL } from '../../support/memory-vault.ts';
import { connected, oauthWorld } from './oauth-world.ts';

it('RFC 8414: says what the vault can do, and nothing that it cannot', async () => {
  const path = '/.well-known/oauth-authorization-server';
  const { status, json } = await callApi(memoryVault(), { method: 'GET', path });
  expect(status).toBe(200);
  expect(json).toEqual({
    issuer: PUBLIC_URL,
    authorization_endpoint: `${PUBLIC_URL}/oauth/authorize`,
    token_endpoint: `${PUBLIC_URL}/oauth/token`,
    revocation_endpoint: `${PUBLIC_URL}/oauth/revoke`,
    jwks_uri: `${PUBLIC_URL}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
  });
});

it('RFC 9068: an access token is verified by the published keys alone', async () => {
  const { vault } = await oauthWorld();
  const { access_token } = await connected(vault);
  const { json, headers } = await callApi(vault, { method: 'GET', path: '/.well-known/jwks.json' });
  expect(headers).toEqual({ 'Cache-Control': 'public, max-age=300' });
  const { payload } = await jwtVerify(access_token, createLocalJWKSet(json as JSONWebKeySet), {
    issuer: PUBLIC_URL,
    audience: PUBLIC_URL,
    typ: 'at+jwt',
    currentDate: new Date(vault.clock.now()),
  });
  expect(payload['client_id']).toBe('lockzero-cli');
});

it('publishes public keys and nothing else of them', async () => {
  const { json } = await callApi(memoryVault(), { method: 'GET', path: '/.well-known/jwks.json' });
  const { keys } = json as { keys: object[] };
  for (const key of keys)
    expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  expect(keys).toHaveLength(1);
});

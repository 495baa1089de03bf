import * as z from 'zod';
import { ACCESS_TOKEN_SECONDS, toJwk } from '../../../core/identity/access-token.ts';
import type { OpenedSession } from '../../../core/identity/open-session.ts';
import { refreshSession } from '../../../core/identity/refresh-session.ts';
import { findClient } from '../../../core/oauth/clients.ts';
import { redeemCode } from '../../../core/oauth/redeem-code.ts';
import { revokeToken } from '../../../core/oauth/revoke-token.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import type { HttpRequest } from '../http/request.ts';
import { type ApiResponse, open } from '../http/route.ts';
import { answerOAuthError, invalidClient, oauthError } from './oauth-errors.ts';

/** A parameter without a value counts as left out (RFC 6749 section 3.2). */
const parameter = z
  .string()
  .max(4_096, 'is too long')
  .transform((value) => (value === '' ? undefined : value))
  .optional();

const tokenBody = z.object({
  grant_type: parameter,
  client_id: parameter,
  code: parameter,
  redirect_uri: parameter,
  code_verifier: parameter,
  refresh_token: parameter,
  scope: parameter,
});

const tokensView = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int(),
  refresh_token: z.string(),
});

/** What the query of a token or revocation request holds is ignored. */
const anyQuery = z.object({});

/** OAuth 2.0 for programs that people let act for them (RFC 6749, 7009, 7517, 8414). */
export const oauthRoutes = [
  open({
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    summary: 'What OAuth clients have to know (RFC 8414)',
    permission: 'public',
    query: anyQuery,
    responses: [{ status: 200, description: 'The metadata' }],
    handle: async (_, _request, { publicUrl }) => ({
      status: 200,
      json: {
        issuer: publicUrl,
        authorization_endpoint: `${publicUrl}/oauth/authorize`,
        token_endpoint: `${publicUrl}/oauth/token`,
        revocation_endpoint: `${publicUrl}/oauth/revoke`,
        jwks_uri: `${publicUrl}/.well-known/jwks.json`,
        response_types_supported: ['code'],
        response_modes_supported: ['query'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        revocation_endpoint_auth_methods_supported: ['none'],
        authorization_response_iss_parameter_supported: true,
      },
    }),
  }),
  open({
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys that verify access tokens (RFC 7517)',
    permission: 'public',
    query: anyQuery,
    responses: [{ status: 200, description: 'The keys' }],
    handle: async (_, _request, { signer }) => ({
      status: 200,
      headers: { 'Cache-Control': 'public, max-age=300' },
      json: { keys: (await signer.publicKeys()).map(toJwk) },
    }),
  }),
  open({
    method: 'POST',
    path: '/oauth/token',
    summary: 'Exchanges an authorization code, or a refresh token, for tokens (RFC 6749)',
    permission: 'public',
    form: true,
    query: anyQuery,
    body: tokenBody,
    responses: [{ status: 200, description: 'The tokens', schema: tokensView }],
    answerError: answerOAuthError,
    handle: async ({ body }, request, vault) => {
      const client = findClient(body.client_id);
      if (client === undefined || request.header('authorization') !== undefined)
        return invalidClient(request);
      if (body.grant_type === 'authorization_code') return exchangeCode(vault, client.id, body, request);
      if (body.grant_type === 'refresh_token') return refresh(vault, client.id, body, request);
      return body.grant_type === undefined
        ? oauthError(400, 'invalid_request', 'grant_type is missing')
        : oauthError(400, 'unsupported_grant_type', 'grant_type must be authorization_code or refresh_token');
    },
  }),
  open({
    method: 'POST',
    path: '/oauth/revoke',
    summary: 'Ends the session of a refresh or access token (RFC 7009)',
    permission: 'public',
    form: true,
    query: anyQuery,
    body: z.object({ client_id: parameter, token: parameter }),
    responses: [{ status: 200, description: 'The token is of no use any more, if it ever was' }],
    answerError: answerOAuthError,
    handle: async ({ body: { client_id, token } }, request, vault) => {
      const client = findClient(client_id);
      if (client === undefined || request.header('authorization') !== undefined)
        return invalidClient(request);
      if (token === undefined) return oauthError(400, 'invalid_request', 'token is missing');
      await revokeToken(vault, { token, clientId: client.id }, request);
      return { status: 200, text: '' };
    },
  }),
];

type TokenBody = z.infer<typeof tokenBody>;

async function exchangeCode(
  vault: Vault,
  clientId: string,
  { code, redirect_uri: redirectUri, code_verifier: codeVerifier }: TokenBody,
  request: HttpRequest,
): Promise<ApiResponse> {
  if (code === undefined || redirectUri === undefined || codeVerifier === undefined)
    return oauthError(400, 'invalid_request', 'code, redirect_uri and code_verifier are needed');
  return tokens(await redeemCode(vault, { code, clientId, redirectUri, codeVerifier }, request));
}

async function refresh(
  vault: Vault,
  client: string,
  { refresh_token: refreshToken, scope }: TokenBody,
  request: HttpRequest,
): Promise<ApiResponse> {
  if (refreshToken === undefined) return oauthError(400, 'invalid_request', 'refresh_token is missing');
  if (scope !== undefined) return oauthError(400, 'invalid_scope', 'there are no scopes: leave scope out');
  const { opened } = await refreshSession(vault, { refreshToken, client }, request);
  return tokens(opened);
}

/** RFC 6749 section 5.1. */
function tokens({ accessToken, refreshToken }: OpenedSession): ApiResponse {
  const json: z.infer<typeof tokensView> = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: ACCESS_TOKEN_SECONDS,
    refresh_token: refreshToken,
  };
  return { status: 200, headers: { Pragma: 'no-cache' }, json };
}

import { originOf, type RequestContext } from '../access/principal.ts';
import { noteUse } from '../identity/authenticate-session.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { newOpaqueToken, opaqueTokenId } from '../identity/opaque-token.ts';
import { authorizePerson, readOwn } from '../identity/own-session.ts';
import { BROWSER } from '../identity/session.ts';
import { create } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { authorizationCodeKind, CODE_MS } from './authorization-code.ts';
import type { AuthorizationRequest } from './authorization-request.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'random' | 'bookkeeping'>;

/**
 * A person lets a client act for them: makes the code that the client exchanges for tokens, once, within a minute
 * (RFC 6749 section 4.1.2). The code belongs to the session in which it was granted and dies with it.
 *
 * @throws VaultError `forbidden` for sessions outside a browser: a client must not consent in its person's name.
 */
export async function grantAuthorization(
  parts: Parts,
  context: RequestContext,
  { client, redirectUri, codeChallenge }: AuthorizationRequest,
): Promise<string> {
  const { store, trail, clock, random } = parts;
  const principal = authorizePerson(context.principal, 'oauth:authorize');
  const { user, session } = await readOwn(store, principal);
  if (session.client !== BROWSER)
    throw new VaultError('forbidden', 'Only a person at a browser can let a program act for them.');
  // The page that asked was only looked at. To allow is to use the session, and only one in use redeems the code.
  await noteUse(parts, session.id);
  const code = newOpaqueToken('authorizationCode', random);
  const made = create(authorizationCodeKind, {
    workspaceId: session.workspaceId,
    id: opaqueTokenId('authorizationCode', code),
    clientId: client.id,
    redirectUri,
    codeChallenge,
    userId: user.id,
    grantedBy: session.id,
    loginId: session.loginId,
    validUntil: clock.now() + CODE_MS,
    expiresAt: session.expiresAt,
  });
  await trail.commit(originOf(context), [
    {
      action: 'oauth.authorized',
      entity: { type: 'session', id: session.id },
      result: 'success',
      detail: { client: client.id },
      changes: [made],
    },
  ]);
  return code;
}

/** A person refuses. Whatever they owe, they can always do that. */
export async function denyAuthorization(
  { trail }: Pick<Parts, 'trail'>,
  context: RequestContext,
  { client }: AuthorizationRequest,
): Promise<void> {
  const { sessionId } = authorizePerson(context.principal, 'session:manage');
  await trail.commit(originOf(context), [
    {
      action: 'oauth.denied',
      entity: { type: 'session', id: sessionId },
      result: 'success',
      detail: { client: client.id },
    },
  ]);
}

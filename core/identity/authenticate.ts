import { timingSafeEqual } from 'node:crypto';
import type { KeyPrincipal, Principal } from '../access/principal.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { type ApiKey, apiKeyId, apiKeyKind, isToken, tokenHash } from './api-key.ts';
import { authenticateRefreshToken } from './authenticate-refresh-token.ts';
import { authenticateSession, type SessionParts } from './authenticate-session.ts';
import type { Caller } from './caller.ts';
import {
  type FailureSubject,
  type RecordFailureParts,
  recordFailedAuthentication,
} from './record-failed-authentication.ts';

/** What a request shows for itself. */
export type Credentials =
  | { readonly type: 'missing' }
  | { readonly type: 'bearer'; readonly token: string | undefined }
  | { readonly type: 'cookie'; readonly accessToken: string }
  /** Only looks at a session, see `authenticate-refresh-token.ts`. */
  | { readonly type: 'refresh_cookie'; readonly refreshToken: string };

type Parts = { readonly store: Store; readonly clock: Clock } & SessionParts & RecordFailureParts;

/** What was found out about credentials: whose they are, or why they are refused and whose they would have been. */
export type Authenticated<P extends Principal> =
  | { readonly principal: P }
  | { readonly refusal: string; readonly subject?: FailureSubject };

/**
 * Who shows these credentials: an API key, or the access token of a person's session. All that decides it is read
 * consistently by primary key.
 *
 * Missing, malformed, unknown, revoked, expired and honeypot credentials get the same answer; the audit trail of the
 * workspace concerned tells them apart.
 *
 * @throws VaultError `unauthenticated`
 */
export async function authenticate(
  parts: Parts,
  credentials: Credentials,
  caller: Caller,
): Promise<Principal> {
  const found = await principalOf(parts, credentials);
  if ('principal' in found) return found.principal;
  await recordFailedAuthentication(parts, { ...caller, subject: found.subject, reason: found.refusal });
  throw new VaultError(
    'unauthenticated',
    'Send a valid API key or access token as "Authorization: Bearer …", or log in again. This one is missing, malformed, unknown, expired or revoked.',
  );
}

async function principalOf(parts: Parts, credentials: Credentials): Promise<Authenticated<Principal>> {
  if (credentials.type === 'missing') return { refusal: 'missing' };
  if (credentials.type === 'refresh_cookie') return authenticateRefreshToken(parts, credentials.refreshToken);
  if (credentials.type === 'cookie') return authenticateSession(parts, credentials.accessToken);
  const { token } = credentials;
  if (token === undefined) return { refusal: 'malformed' };
  if (isToken(token)) return authenticateKey(parts, token);
  // A JWT has two dots, and begins with a brace in base64url.
  if (/^ey[\w-]*\.[\w-]+\.[\w-]+$/.test(token)) return authenticateSession(parts, token);
  return { refusal: 'malformed' };
}

async function authenticateKey({ store, clock }: Parts, token: string): Promise<Authenticated<KeyPrincipal>> {
  const key = await store.find(apiKeyKind, apiKeyId(token));
  if (key === undefined || !sameHash(key.tokenHash, tokenHash(token))) return { refusal: 'unknown' };
  const { id, workspaceId, role, namespaces, expiresAt } = key;
  const refusal = refusalReason(key, clock.now());
  if (refusal !== undefined) return { refusal, subject: { workspaceId, type: 'api_key', id } };
  const principal = { type: 'api_key', id, workspaceId, role, namespaces } as const;
  return { principal: expiresAt === undefined ? principal : { ...principal, expiresAt } };
}

function refusalReason(key: ApiKey, now: number): string | undefined {
  if (key.honeypot) return 'honeypot';
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now) return 'expired';
  return undefined;
}

function sameHash(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

import { timingSafeEqual } from 'node:crypto';
import type { Principal } from '../access/principal.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { type ApiKey, apiKeyId, apiKeyKind, isToken, tokenHash } from './api-key.ts';
import type { Bookkeeping } from './bookkeeping.ts';
import { type RecordFailureParts, recordFailedAuthentication } from './record-failed-authentication.ts';

type Parts = {
  readonly store: Store;
  readonly clock: Clock;
  readonly bookkeeping: Bookkeeping;
} & RecordFailureParts;

export interface Caller {
  readonly ip: string;
  readonly userAgent: string;
}

/**
 * Who presents this `Authorization` header: one consistent read by primary key.
 *
 * Missing, malformed, unknown, revoked, expired and honeypot keys get the same answer; the audit trail of the
 * workspace concerned tells them apart.
 *
 * @throws VaultError `unauthenticated`
 */
export async function authenticate(
  parts: Parts,
  header: string | undefined,
  caller: Caller,
): Promise<Principal> {
  const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
  const key =
    token !== undefined && isToken(token) ? await parts.store.find(apiKeyKind, apiKeyId(token)) : undefined;
  const refusal = refusalReason(header, token, key, parts.clock.now());
  if (refusal !== undefined || key === undefined) {
    const known = refusal === 'unknown' ? undefined : key;
    await recordFailedAuthentication(parts, { key: known, reason: refusal ?? 'unknown', ...caller });
    throw new VaultError(
      'unauthenticated',
      'Send a valid API key as "Authorization: Bearer lz_…". This one is missing, malformed, unknown, expired or revoked.',
    );
  }
  const { id, workspaceId, role, namespaces, expiresAt } = key;
  const principal = { type: 'api_key', id, workspaceId, role, namespaces } as const;
  return expiresAt === undefined ? principal : { ...principal, expiresAt };
}

export type RefusalReason = 'missing' | 'malformed' | 'unknown' | 'honeypot' | 'revoked' | 'expired';

function refusalReason(
  header: string | undefined,
  token: string | undefined,
  key: ApiKey | undefined,
  now: number,
): RefusalReason | undefined {
  if (header === undefined) return 'missing';
  if (token === undefined || !isToken(token)) return 'malformed';
  if (key === undefined || !sameHash(key.tokenHash, tokenHash(token))) return 'unknown';
  if (key.honeypot) return 'honeypot';
  if (key.revokedAt !== undefined) return 'revoked';
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= now) return 'expired';
  return undefined;
}

function sameHash(left: string, right: string): boolean {
  return left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
}

import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ROLES } from '../access/role.ts';
import type { Kind } from '../kernel/entity.ts';
import type { Random } from '../kernel/ports.ts';

/** An API key: what it may do, and the hash by which its token is recognized. The token itself is never stored. */
const apiKeySchema = z.strictObject({
  kind: z.literal('apiKey'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  name: z.string(),
  role: z.enum(ROLES),
  /** Names of namespaces, or `*`. */
  namespaces: z.array(z.string()),
  /** SHA-256 of the token, lower-case hex. A token has 256 random bits, so a fast hash cannot be guessed back. */
  tokenHash: z.string(),
  /** A decoy: it never authenticates, and its use is an event. */
  honeypot: z.boolean(),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string().optional(),
  revokedAt: z.string().optional(),
  /** The key that this one replaces. */
  rotatedFrom: z.string().optional(),
  /** The key that replaces this one. */
  rotatedTo: z.string().optional(),
});

export type ApiKey = z.infer<typeof apiKeySchema>;

export const apiKeyKind: Kind<ApiKey> = {
  name: 'apiKey',
  schema: apiKeySchema,
  listing: (key) => ({ list: apiKeyList(key.workspaceId), key: `${key.createdAt}#${key.id}` }),
};

export function apiKeyList(workspaceId: string): string {
  return `${workspaceId}#apiKeys`;
}

const TOKEN = /^lz_[A-Za-z0-9_-]{43}$/;

/** `lz_` and 32 random bytes in base64url: 46 characters. */
export function newToken(random: Random): string {
  return `lz_${Buffer.from(random.bytes(32)).toString('base64url')}`;
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/**
 * The id of the key with this token. Derived from the token, so that one read by primary key finds the key, and
 * apart from {@link tokenHash}, so that the public id tells nothing of what is compared.
 */
export function apiKeyId(token: string): string {
  return `key_${createHash('sha256').update('lockzero api key id\0').update(token, 'utf8').digest('hex').slice(0, 32)}`;
}

/** Whether a key is neither revoked nor expired. */
export function isGoodKey({ revokedAt, expiresAt }: ApiKey, now: number): boolean {
  return revokedAt === undefined && (expiresAt === undefined || now < Date.parse(expiresAt));
}

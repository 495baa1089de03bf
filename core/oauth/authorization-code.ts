import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** An OAuth authorization code (RFC 6749 section 4.1.2). Its id derives from the code. */
const authorizationCodeSchema = z.strictObject({
  kind: z.literal('authorizationCode'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  clientId: z.string(),
  redirectUri: z.string(),
  /** BASE64URL(SHA-256(code_verifier)): RFC 7636, method S256. */
  codeChallenge: z.string(),
  userId: z.string(),
  /** The session in which it was granted: a code dies with it. */
  grantedBy: z.string(),
  /** The login of that session. */
  loginId: z.string(),
  /** The session that was opened with it: a second use of the code ends that session. */
  sessionId: z.string().optional(),
  /** Epoch milliseconds: after it the code opens nothing. */
  validUntil: z.int(),
  /** Epoch milliseconds: until then a second use is recognized. */
  expiresAt: z.int(),
});

export type AuthorizationCode = z.infer<typeof authorizationCodeSchema>;

export const authorizationCodeKind: Kind<AuthorizationCode> = {
  name: 'authorizationCode',
  schema: authorizationCodeSchema,
  expiry: (code) => code.expiresAt,
};

/** How long a code can be redeemed. */
export const CODE_MS = 60 * 1000;

import * as z from 'zod';
import { ENVELOPE_FORMAT } from '../crypto/envelope.ts';
import type { Kind } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';

const binary = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/** A person's second factor. Its id is the person's. It counts once `confirmedAt` is set. */
const mfaSchema = z.strictObject({
  kind: z.literal('mfa'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** Of the sealed TOTP secret; rises with each enrolment, so that each secret has a name of its own. */
  version: z.int().min(1),
  /** The TOTP secret (RFC 6238, 20 bytes), sealed like the value of a secret. */
  format: z.literal(ENVELOPE_FORMAT),
  ciphertext: binary,
  nonce: binary,
  tag: binary,
  wrappedKey: binary,
  keyArn: z.string(),
  startedAt: z.string(),
  confirmedAt: z.string().optional(),
  /** The time step of the last code accepted: it and all before it are used up. */
  lastStep: z.int().min(0),
  backupCodes: z.array(z.strictObject({ hash: z.string(), usedAt: z.string().optional() })),
});

export type Mfa = z.infer<typeof mfaSchema>;

/** All second factors of the deployment, by person: whoever moves them to another key finds each of them here. */
export const SECOND_FACTORS = 'secondFactors';

export const mfaKind: Kind<Mfa> = {
  name: 'mfa',
  schema: mfaSchema,
  listing: ({ id }) => ({ list: SECOND_FACTORS, key: id }),
};

/** A person's TOTP secret has a name like any other sealed value, in the platform's workspace. */
export function totpName(userId: string, version: number) {
  return { workspaceId: PLATFORM_WORKSPACE, secretId: userId, version } as const;
}

/** That somebody has shown the right password and owes the second factor. Its id derives from the token handed out. */
const mfaChallengeSchema = z.strictObject({
  kind: z.literal('mfaChallenge'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  userId: z.string(),
  epoch: z.int().min(1),
  mustChangePassword: z.boolean(),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type MfaChallenge = z.infer<typeof mfaChallengeSchema>;

export const mfaChallengeKind: Kind<MfaChallenge> = {
  name: 'mfaChallenge',
  schema: mfaChallengeSchema,
  expiry: (challenge) => challenge.expiresAt,
};

/** How long the second step of a login may take. */
export const MFA_CHALLENGE_MS = 5 * 60 * 1000;

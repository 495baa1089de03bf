import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** A link to set a new password, sent by e-mail. Its id derives from the token in the link. */
const passwordResetSchema = z.strictObject({
  kind: z.literal('passwordReset'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  userId: z.string(),
  /** The person's epoch when it was asked for: any change of the password kills the links sent before. */
  epoch: z.int().min(1),
  /** Epoch milliseconds. */
  expiresAt: z.int(),
});

export type PasswordReset = z.infer<typeof passwordResetSchema>;

export const passwordResetKind: Kind<PasswordReset> = {
  name: 'passwordReset',
  schema: passwordResetSchema,
  expiry: (reset) => reset.expiresAt,
};

/** How long a link to set a new password works. */
export const PASSWORD_RESET_MS = 10 * 60 * 1000;

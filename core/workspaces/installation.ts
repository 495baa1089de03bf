import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** Says that the deployment has its first workspace, and which; there is one, with a fixed id. */
const installationSchema = z.strictObject({
  kind: z.literal('installation'),
  workspaceId: z.string(),
  id: z.literal('first'),
  revision: z.int().min(1),
});
export const installationKind: Kind<z.infer<typeof installationSchema>> = {
  name: 'installation',
  schema: installationSchema,
};

/**
 * Whom a setup token is about to make an owner: written with the first change of their account, so that one token never
 * reaches two accounts. Its id is the token's.
 */
const setupAttemptSchema = z.strictObject({
  kind: z.literal('setupAttempt'),
  workspaceId: z.string(),
  /** The id of the {@link usedSetupTokenKind} that it becomes. */
  id: z.string(),
  revision: z.int().min(1),
  /** The id of the e-mail address. */
  account: z.string(),
});
export const setupAttemptKind: Kind<z.infer<typeof setupAttemptSchema>> = {
  name: 'setupAttempt',
  schema: setupAttemptSchema,
};

/** A setup token that was used, and is dead. Its id is a hash of the token. */
const usedSetupTokenSchema = z.strictObject({
  kind: z.literal('usedSetupToken'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  usedAt: z.string(),
});
export const usedSetupTokenKind: Kind<z.infer<typeof usedSetupTokenSchema>> = {
  name: 'usedSetupToken',
  schema: usedSetupTokenSchema,
};

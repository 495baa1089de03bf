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

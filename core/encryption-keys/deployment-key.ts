import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';

/** The keys that the deployment's values are to lie under, and how far they are moved there. There is one. */
const deploymentKeySchema = z.strictObject({
  kind: z.literal('deploymentKey'),
  workspaceId: z.literal(PLATFORM_WORKSPACE),
  id: z.literal(PLATFORM_WORKSPACE),
  revision: z.int().min(1),
  /** As in `DeploymentKeys`, as ARNs. */
  own: z.string(),
  values: z.string(),
  since: z.string(),
  /** Keys that were in their places, and that values may still lie under. */
  previous: z.array(z.string()),
  /**
   * `opening`: the migrations of all workspaces are being opened. `moving`: those are under way. `settled`: nothing lies
   * under an earlier key any more.
   */
  state: z.enum(['opening', 'moving', 'settled']),
  /** While opening: the last workspace that is dealt with, as a list position. */
  position: z.string().optional(),
  /** While moving: when the last migration was opened. */
  openedAt: z.string().optional(),
});

export type DeploymentKey = z.infer<typeof deploymentKeySchema>;

export const deploymentKeyKind: Kind<DeploymentKey> = { name: 'deploymentKey', schema: deploymentKeySchema };

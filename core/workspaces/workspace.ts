import * as z from 'zod';
import { PASSWORD_PROFILES } from '../identity/password-policy.ts';
import type { Change, Kind } from '../kernel/entity.ts';
import { create } from '../kernel/entity.ts';
import { planNameSchema } from '../plans/plan.ts';

/** What a workspace demands of the people in it. Of somebody in several, the strictest holds. */
export const identityPolicySchema = z.strictObject({
  /** Nobody works here without a second factor, whoever was here before. */
  requireMfa: z.boolean(),
  passwordProfile: z.enum(PASSWORD_PROFILES),
  /** What to do with a new password while nobody can tell whether it is a breached one. */
  breachUnavailable: z.enum(['refuse', 'accept']),
});

export type IdentityPolicy = z.infer<typeof identityPolicySchema>;

export const DEFAULT_POLICY: IdentityPolicy = {
  requireMfa: false,
  passwordProfile: 'composition',
  breachUnavailable: 'refuse',
};

/** For how many days audit rows stay in the table; the archive keeps them for longer. Seven years are at most 2,557. */
export const AUDIT_RETENTION_DAYS = { least: 365, most: 2_557, unlessSet: 365 } as const;

export const auditRetentionDaysSchema = z
  .int()
  .min(AUDIT_RETENTION_DAYS.least)
  .max(AUDIT_RETENTION_DAYS.most);

/** A workspace that still has versions under so many earlier keys has to wait until they are moved. */
export const MAX_PREVIOUS_KEYS = 5;
/** One more than that: the way back to the deployment's key is never refused, also once that is another one. */
export const MOST_PREVIOUS_KEYS = MAX_PREVIOUS_KEYS + 1;

/** A tenant: the boundary that no query crosses. */
const workspaceSchema = z.strictObject({
  kind: z.literal('workspace'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  name: z.string(),
  createdAt: z.string(),
  policy: identityPolicySchema,
  /** The people with the role owner, by id. Changed together with their memberships, so that one always remains. */
  owners: z.array(z.string()),
  /** {@link AUDIT_RETENTION_DAYS} */
  auditRetentionDays: auditRetentionDaysSchema.optional(),
  /** Without one, the deployment's default. */
  plan: planNameSchema.optional(),
  /** The customer's own key, which wraps the data keys of new versions; without it, the deployment's key does. */
  encryptionKey: z.strictObject({ keyArn: z.string(), since: z.string() }).optional(),
  /** Keys that versions may still lie under, beside the one above: newest first. */
  previousKeyArns: z.array(z.string()).max(MOST_PREVIOUS_KEYS).optional(),
  deletedAt: z.string().optional(),
  /** When what it held was removed: what is left of it is what its audit trail needs. */
  purgedAt: z.string().optional(),
});

export type Workspace = z.infer<typeof workspaceSchema>;

export const ALL_WORKSPACES = 'workspaces';

export const workspaceKind: Kind<Workspace> = {
  name: 'workspace',
  schema: workspaceSchema,
  listing: (workspace) => ({ list: ALL_WORKSPACES, key: workspace.id }),
};

/** A new workspace with the policies that all begin with. */
export function newWorkspace(
  id: string,
  name: string,
  createdAt: string,
  owners: readonly string[] = [],
): Change & { readonly entity: Workspace } {
  return create(workspaceKind, {
    workspaceId: id,
    id,
    name,
    createdAt,
    policy: DEFAULT_POLICY,
    owners: [...owners],
  });
}

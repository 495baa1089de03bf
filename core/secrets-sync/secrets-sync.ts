import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/** How many namespaces one sync copies at most. */
export const MAX_SYNCED_NAMESPACES = 20;

/** Where tokens of bootstrap keys lie; so no namespace of this name is synced. */
export const BOOTSTRAP = 'bootstrap';

/**
 * Which namespaces of a workspace are copied, one way, into which Secrets Manager. One to a workspace, its id the
 * workspace's.
 */
const secretsSyncSchema = z.strictObject({
  kind: z.literal('secretsSync'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  namespaces: z.array(z.string()).max(MAX_SYNCED_NAMESPACES),
  /** The customer's role that writes; without one, copies stay in the vault's own account. */
  roleArn: z.string().optional(),
  region: z.string(),
  /** Epoch milliseconds; rises each time somebody sets the sync. What was copied before is looked at again. */
  start: z.int().min(1),
  /** The `start` since which copies go to this role and region: those from before lie elsewhere, and are left alone. */
  targetStart: z.int().min(1),
  updatedAt: z.string(),
  updatedBy: z.string(),
});

export type SecretsSync = z.infer<typeof secretsSyncSchema>;

/** The syncs of all workspaces, by workspace. */
export const ALL_SYNCS = 'secretsSyncs';

export const secretsSyncKind: Kind<SecretsSync> = {
  name: 'secretsSync',
  schema: secretsSyncSchema,
  listing: ({ id }) => ({ list: ALL_SYNCS, key: id }),
};

/** What of the deployment concerns copies in Secrets Manager. */
export interface SyncSite {
  readonly stage: string;
  /** Such as `aws`. */
  readonly partition: string;
  /** The vault's own. */
  readonly region: string;
  readonly accountId: string;
  /** The accounts whose roles the vault may assume. */
  readonly accounts: readonly string[];
  /** The roles of the vault that assume a customer's role. */
  readonly roleArns: readonly string[];
  /** Whether AWS is called at its FIPS 140 endpoints alone. */
  readonly fips: boolean;
}

/** Where the copies of a workspace go. */
export type SyncTarget = Pick<SecretsSync, 'workspaceId' | 'roleArn' | 'region'>;

/** What the names of all copies of a workspace begin with. */
export function copyPrefix({ stage }: Pick<SyncSite, 'stage'>, workspaceId: string): string {
  return `lockzero/${stage}/${workspaceId}/`;
}

/**
 * The name of a secret's copy, after the prefix. Neither part has a slash, so that no two secrets share one; with the
 * prefix it has at most 323 of the 512 characters that Secrets Manager allows, and only such as it allows.
 */
export function copyName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

/** The account that a target lies in. */
export function targetAccount(
  site: Pick<SyncSite, 'accountId'>,
  { roleArn }: Pick<SyncTarget, 'roleArn'>,
): string {
  return roleArn?.split(':')[4] ?? site.accountId;
}

/** A target as rows and alerts tell it, such as `111122223333 eu-central-1`. */
export function targetText(site: Pick<SyncSite, 'accountId'>, target: SyncTarget): string {
  return `${targetAccount(site, target)} ${target.region}`;
}

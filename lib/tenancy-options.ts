import * as z from 'zod';
import { accountId, bucketName, eventBusArn, keyArn, placeOf, region, roleArn } from './fields.ts';

const workspaceId = z.string().regex(/^ws_[0-9a-f]{32}$/, 'must be the id of a workspace');

const archiveReader = z.strictObject({
  /** The role's own account must let it read as well: this opens the bucket, IAM there opens the role. */
  roleArn,
  /**
   * The one workspace whose part it may read.
   * @default - the whole archive, which is right where the whole deployment is one customer's
   */
  workspaceId: workspaceId.optional(),
});

const customerTrail = z.strictObject({
  /**
   * A bucket of the customer's, which must let CloudTrail write: the output `CustomerTrailBucketStatements` of the stack
   * `Keys` says how, so deploy that first. CloudTrail bills a second trail by the event.
   * @default - the readers of the whole archive may read the call log, which has the same events
   */
  bucketName: bucketName.optional(),
  /**
   * An event bus of the customer's, which gets the calls on `tenantKeyArn` and those before it, the refused calls on any
   * key, and every change in the account and region of the stage, within seconds. Best effort: what cannot be delivered
   * within a day is dropped, the bucket has it all. A bus of another account must let the vault's role in: the output
   * `CustomerEventBusStatement` of the stack `Keys` says how.
   * @default - none
   */
  eventBusArn: eventBusArn.optional(),
});

/** As many moves as may be begun before the first is done. Each makes the policies of roles longer. */
export const MAX_EARLIER_TENANT_KEYS = 4;

/** What a stage has to say about whose keys wrap values, and about what customers may see and get. */
export const tenancyOptions = {
  /**
   * The deployment's own keys for values by number, each of them made where it first stands here: the first wraps, and
   * all unwrap. To move to a new key deploy three times: `[1, 2]` makes the new key known, `[2, 1]` wraps with it and
   * moves what lies under the old one, and when the row `deployment_key.migration_completed` says that nothing does any
   * more, `[2]` drops that. For the last step deploy `Api`, `Jobs` and `Watch` by themselves first (`cdk deploy -e Api
   * Jobs Watch`): a key cannot leave `Keys` while they name it. Where the stage retains, the old key stays in KMS: backups
   * hold what it wrapped for 365 days, so schedule its deletion after that.
   * @default [1]
   */
  secretsKeys: z
    .array(z.int().min(1).max(9_999))
    .min(1)
    .max(4)
    .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a key twice')
    .default([1]),
  /**
   * The accounts whose KMS keys workspaces may bring, or `any` for all but the vault's own.
   * @default - none: no workspace can bring a key
   */
  customerKeyAccounts: z.union([z.literal('any'), z.array(accountId).max(20)]).default([]),
  /**
   * Keys of the vault's own account that a workspace may use as if it had brought them. Their policies are the operator's
   * to write, by what `GET /workspace/encryption-key` hands out.
   * @default - none
   */
  grantedKeys: z.array(z.strictObject({ workspaceId, keyArn })).max(8).default([]),
  /**
   * The customer's key that wraps all values, where the whole deployment is one customer's. Second factors stay under the
   * deployment's own key, and nothing else ever depends on it. The outputs `TenantKeyStatement…` of the stack `Keys` say
   * what its policy needs. It must lie in the region of the stage, as a replica if it is a multi-Region key.
   * @default - the deployment's own key wraps values
   */
  tenantKeyArn: keyArn.optional(),
  /**
   * Keys that were `tenantKeyArn` before, and that values may still lie under: the same roles may use them as may use that
   * one. Name the old key here in the deployment that changes `tenantKeyArn`, and leave it out when the row
   * `deployment_key.migration_completed` says that nothing lies under it any more; until then it keeps its policy.
   * @default - none
   */
  earlierTenantKeyArns: z
    .array(keyArn)
    .max(MAX_EARLIER_TENANT_KEYS)
    .refine((arns) => new Set(arns).size === arns.length, 'must not name a key twice')
    .default([]),
  /**
   * The plan of workspaces that were assigned none.
   * @default standard
   */
  defaultPlan: z.enum(['standard', 'compliance', 'enterprise']).default('standard'),
  /**
   * Roles, of any account, that may read the archive directly: logs, daily archives and exported evidence.
   * @default - nobody outside the vault
   */
  archiveReaders: z.array(archiveReader).max(10).default([]),
  /**
   * A second region that gets a copy of what is written to the archive from then on, locked for as long. It makes the
   * stack `ArchiveCopy` there. Leave it out where data must stay in its region.
   * @default - no copy
   */
  replicateArchiveTo: region.optional(),
  /**
   * The customer's own record of every call on its key and of every change in the account. It tells of everything there,
   * so that the account has to be for this deployment alone.
   * @default - none
   */
  customerTrail: customerTrail.optional(),
  /**
   * Accounts in whose Secrets Manager workspaces may have copies of their secrets, by a role `lockzero-sync-…` there.
   * @default - the vault's own account only
   */
  syncAccounts: z.array(accountId).max(20).default([]),
};

type Tenancy = z.output<z.ZodObject<typeof tenancyOptions>>;

/** What is wrong with these options together, each fault with the path of its field. */
export function tenancyFaults(
  stage: Tenancy & { readonly region: string; readonly account?: string | undefined },
): { readonly path: string[]; readonly message: string }[] {
  const { tenantKeyArn, earlierTenantKeyArns, grantedKeys, customerKeyAccounts, syncAccounts, account } =
    stage;
  const { replicateArchiveTo, customerTrail } = stage;
  const isElsewhere = (arn: string): boolean => placeOf(arn).region !== stage.region;
  const isForeign = (arn: string): boolean => account !== undefined && placeOf(arn).accountId !== account;
  return [
    ...(tenantKeyArn !== undefined && isElsewhere(tenantKeyArn)
      ? [{ path: ['tenantKeyArn'], message: 'must be a key in the region of the stage' }]
      : []),
    ...earlierTenantKeyArns.flatMap((arn, index) =>
      isElsewhere(arn)
        ? [
            {
              path: ['earlierTenantKeyArns', String(index)],
              message: 'must be a key in the region of the stage',
            },
          ]
        : [],
    ),
    ...(tenantKeyArn === undefined && earlierTenantKeyArns.length > 0
      ? [{ path: ['earlierTenantKeyArns'], message: 'needs tenantKeyArn: it says where values move to' }]
      : []),
    ...(tenantKeyArn !== undefined && earlierTenantKeyArns.includes(tenantKeyArn)
      ? [{ path: ['earlierTenantKeyArns'], message: 'must not name tenantKeyArn' }]
      : []),
    ...grantedKeys.flatMap((granted, index) =>
      isElsewhere(granted.keyArn) || isForeign(granted.keyArn)
        ? [
            {
              path: ['grantedKeys', String(index), 'keyArn'],
              message: 'must be a key in the account and region of the stage',
            },
          ]
        : [],
    ),
    ...(customerKeyAccounts !== 'any' && account !== undefined && customerKeyAccounts.includes(account)
      ? [
          {
            path: ['customerKeyAccounts'],
            message: 'must not name the account of the stage: give its keys to workspaces by grantedKeys',
          },
        ]
      : []),
    ...(account !== undefined && syncAccounts.includes(account)
      ? [
          {
            path: ['syncAccounts'],
            message: 'must not name the account of the stage: copies stay there where no role is named',
          },
        ]
      : []),
    ...(replicateArchiveTo === stage.region
      ? [{ path: ['replicateArchiveTo'], message: 'must be another region than that of the stage' }]
      : []),
    ...(customerTrail !== undefined && tenantKeyArn === undefined
      ? [
          {
            path: ['customerTrail'],
            message: 'needs tenantKeyArn: it is for a deployment that is one customer’s',
          },
        ]
      : []),
  ];
}

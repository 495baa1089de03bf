import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { BUDGET_REGIONS } from './budget-regions.ts';
import {
  accountId,
  bucketName,
  certificateArn,
  eventBusArn,
  hasFips,
  hostName,
  keyArn,
  mailAddress,
  placeOf,
  region,
  roleArn,
  stageName,
  typedDollars,
} from './fields.ts';
import { parseStage, type StageConfig, StageError, type StageInput } from './stage.ts';
import { SEVEN_YEARS, stageNames } from './stages.ts';
import { MAX_EARLIER_TENANT_KEYS } from './tenancy-options.ts';

const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'must be true or false')
  .transform((value) => value === true || value === 'true');

/** The numbers of keys, such as `2,1`; CDK's command line makes a number of a single one. */
const keyNumbers = z
  .union([z.number(), z.string()])
  .transform(String)
  .pipe(
    z.string().regex(/^[1-9]\d{0,3}(,[1-9]\d{0,3}){0,3}$/, 'must be numbers of keys, separated by commas'),
  )
  .transform((text) => text.split(',').map(Number));

/** What the command line says of a tenant, `-c <name>=<value>` each. */
const tenantOptions = z.strictObject({
  /** Part of every physical name, as the name of a stage is. */
  tenant: stageName.refine((name) => !stageNames.includes(name), 'is the name of a stage: choose another'),
  /** The customer's key, which wraps all values. */
  byokKeyArn: keyArn,
  /** Keys that were `byokKeyArn` before, separated by commas, as long as values may lie under them. */
  earlierByokKeyArn: z
    .string()
    .refine((text) => {
      const arns = text.split(',');
      return arns.length <= MAX_EARLIER_TENANT_KEYS && arns.every((arn) => keyArn.safeParse(arn).success);
    }, `must be ARNs of KMS keys, ${MAX_EARLIER_TENANT_KEYS} at most, separated by commas`)
    .optional(),
  region: region.default('us-east-1'),
  /** @default - the account of the credentials that deploy */
  account: accountId.optional(),
  /** FIPS endpoints and ciphers, where the region has them. */
  compliance: flag.default(false),
  /** A second region that gets a copy of the archive. */
  replicateArchiveTo: region.optional(),
  /** The customer's role that may read the archive and, where no bucket is named, the call log. */
  archiveReader: roleArn.optional(),
  /** The customer's bucket that gets a trail of its own. */
  trailBucket: bucketName.optional(),
  /** The customer's event bus that gets calls on its key and changes in the account. */
  eventBusArn: eventBusArn.optional(),
  /** Accounts of the customer's, separated by commas, in whose Secrets Manager copies of secrets may lie. */
  syncAccounts: z
    .string()
    .regex(/^\d{12}(,\d{12}){0,19}$/, 'must be accounts of 12 digits, separated by commas')
    .optional(),
  /** Adds the role that restores a backup, as long as it is needed (docs/backup.md). */
  recovery: flag.default(false),
  /** The deployment's own keys, by number, the one in use first: see lib/stage.ts and lib/tenancy-options.ts. */
  signingKeys: keyNumbers.optional(),
  secretsKeys: keyNumbers.optional(),
  domain: hostName.optional(),
  certificateArn: certificateArn.optional(),
  mailFrom: mailAddress.optional(),
  alarmEmail: z.email('must be an e-mail address').optional(),
  /** Dollars that the account may cost in a month, or 0: see `monthlyBudgetUsd` in lib/stage.ts, whose default it has. */
  monthlyBudgetUsd: typedDollars.optional(),
});

type TenantOptions = z.output<typeof tenantOptions>;

const OPTION_NAMES = Object.keys(tenantOptions.shape);
const NAMES: ReadonlySet<string> = new Set(['stage', 'witness', ...OPTION_NAMES]);

/**
 * Refuses what nobody would read: an option that is misspelled, or that only a stage has, would be left out without a word.
 *
 * @param names of everything in the context. CDK's own have a hyphen, a colon, a slash or an at sign.
 * @throws StageError
 */
export function refuseUnknownOptions(names: readonly string[]): void {
  const unknown = names.filter((name) => /^[a-z]\w*$/i.test(name) && !NAMES.has(name));
  if (unknown.length === 0) return;
  throw new StageError(
    `There is no option -c ${unknown.join(', -c ')}: lib/tenant.ts has those of a tenant, and a stage has its own in lib/stages.ts.`,
  );
}

/**
 * A stage for one customer, told on the command line alone: `-c tenant=acme -c byokKeyArn=arn:…`. It is like production,
 * and a name that was deployed once must be deployed with the same options again: what is left out is taken away.
 *
 * @param context the value of `-c <name>=<value>`, or `undefined`.
 * @returns `undefined` where the command names no tenant.
 * @throws StageError naming each fault, by the name that it has on the command line.
 */
export function findTenant(context: (name: string) => unknown): StageConfig | undefined {
  const given = Object.fromEntries(
    OPTION_NAMES.map((name) => [name, context(name)]).filter(([, value]) => value !== undefined),
  );
  if (given['tenant'] === undefined) {
    const [stray] = Object.keys(given);
    if (stray === undefined) return undefined;
    throw new StageError(
      `-c ${stray} goes with -c tenant=<name> only: a stage has its options in lib/stages.ts.`,
    );
  }
  const other = ['stage', 'witness'].find((name) => context(name) !== undefined);
  if (other !== undefined) {
    throw new StageError(`-c tenant and -c ${other} do not go together: deploy one after the other.`);
  }
  if (given['byokKeyArn'] === undefined) {
    throw new StageError(
      'A tenant needs its customer’s key: name it with -c byokKeyArn=arn:aws:kms:<region>:<account>:key/<id>.',
    );
  }
  const parsed = tenantOptions.safeParse(given);
  const faults = parsed.success
    ? faultsTogether(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `-c ${path.join('.')} ${message}`);
  if (!parsed.success || faults.length > 0) {
    throw new StageError(`The tenant cannot be deployed like this: ${faults.join('; ')}.`);
  }
  return parseStage(stageOf(parsed.data));
}

function faultsTogether(options: TenantOptions): string[] {
  const { byokKeyArn, region: stageRegion, account, replicateArchiveTo, domain, certificateArn } = options;
  const { monthlyBudgetUsd } = options;
  const key = placeOf(byokKeyArn);
  const earlier = earlierKeyArnsOf(options);
  return [
    ...(key.region === stageRegion
      ? []
      : [
          `-c byokKeyArn is a key in ${key.region} and the tenant goes to ${stageRegion}: choose the region with -c region=${key.region}, or name a replica of the key in ${stageRegion}`,
        ]),
    ...(earlier.every((arn) => placeOf(arn).region === stageRegion)
      ? []
      : [`-c earlierByokKeyArn must be keys in ${stageRegion}, where the tenant goes`]),
    ...(new Set([byokKeyArn, ...earlier]).size === 1 + earlier.length
      ? []
      : ['-c earlierByokKeyArn must not name a key twice, nor the one of -c byokKeyArn']),
    ...(replicateArchiveTo === stageRegion ? ['-c replicateArchiveTo must be another region'] : []),
    ...((domain === undefined) === (certificateArn === undefined)
      ? []
      : ['-c domain and -c certificateArn go together']),
    ...(certificateArn !== undefined && placeOf(certificateArn).region !== stageRegion
      ? [`-c certificateArn must be a certificate in ${stageRegion}`]
      : []),
    ...(account !== undefined && syncAccountsOf(options).includes(account)
      ? ['-c syncAccounts must not name the account of the tenant itself']
      : []),
    ...(options.compliance && stageRegion.startsWith('ca-') && options.syncAccounts !== undefined
      ? [
          `-c syncAccounts and -c compliance=true do not go together in ${stageRegion}: STS, which gives the roles of those accounts, has no FIPS endpoint in Canada`,
        ]
      : []),
    ...(monthlyBudgetUsd && !BUDGET_REGIONS.has(stageRegion)
      ? [
          `-c monthlyBudgetUsd must be 0 or left out: CloudFormation has no AWS::Budgets::Budget in ${stageRegion}`,
        ]
      : []),
  ];
}

function stageOf(options: TenantOptions): StageInput {
  const { tenant, byokKeyArn, account, domain, certificateArn, mailFrom, alarmEmail } = options;
  const { archiveReader, trailBucket, eventBusArn: bus, replicateArchiveTo, monthlyBudgetUsd } = options;
  return {
    name: tenant,
    region: options.region,
    ...(account === undefined ? {} : { account }),
    archive: { mode: 'COMPLIANCE', retentionDays: SEVEN_YEARS },
    logRetentionDays: RetentionDays.ONE_YEAR,
    // Elsewhere the services used have no FIPS endpoints.
    fips: options.compliance && hasFips(options.region),
    recovery: options.recovery,
    ...(options.signingKeys === undefined ? {} : { signingKeys: options.signingKeys }),
    ...(options.secretsKeys === undefined ? {} : { secretsKeys: options.secretsKeys }),
    tenantKeyArn: byokKeyArn,
    earlierTenantKeyArns: earlierKeyArnsOf(options),
    defaultPlan: 'enterprise',
    archiveReaders: archiveReader === undefined ? [] : [{ roleArn: archiveReader }],
    ...(replicateArchiveTo === undefined ? {} : { replicateArchiveTo }),
    customerTrail: {
      ...(trailBucket === undefined ? {} : { bucketName: trailBucket }),
      ...(bus === undefined ? {} : { eventBusArn: bus }),
    },
    syncAccounts: syncAccountsOf(options),
    ...(domain === undefined || certificateArn === undefined
      ? {}
      : { domain: { name: domain, certificateArn } }),
    ...(mailFrom === undefined ? {} : { mail: { from: mailFrom } }),
    alarmEmails: alarmEmail === undefined ? [] : [alarmEmail],
    ...(monthlyBudgetUsd === undefined ? {} : { monthlyBudgetUsd }),
  };
}

function earlierKeyArnsOf({ earlierByokKeyArn }: TenantOptions): string[] {
  return earlierByokKeyArn === undefined ? [] : earlierByokKeyArn.split(',');
}

function syncAccountsOf({ syncAccounts }: TenantOptions): string[] {
  return syncAccounts === undefined ? [] : syncAccounts.split(',');
}

import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { BUDGET_REGIONS } from './budget-regions.ts';
import {
  accountId,
  certificateArn,
  dollars,
  hasFips,
  hostName,
  mailAddress,
  region,
  stageName,
} from './fields.ts';
import { tenancyFaults, tenancyOptions } from './tenancy-options.ts';

const archive = z.strictObject({
  /**
   * COMPLIANCE: nobody, the account root included, can shorten the lock, so the bucket outlives `cdk destroy`.
   * GOVERNANCE: a principal with s3:BypassGovernanceRetention can, which suits a stage that is thrown away.
   */
  mode: z.enum(['COMPLIANCE', 'GOVERNANCE']),
  /** How long each archived object stays locked by default, in days. Seven years are 2557 with two leap days. */
  retentionDays: z.int().min(1).max(36_500),
});

const domain = z.strictObject({
  name: hostName,
  /** An ACM certificate for `name`, in the stage's own region: the endpoint is regional. */
  certificateArn,
  /**
   * The Route 53 zone in which to create the alias record.
   * @default - no record; point `name` at the endpoint yourself
   */
  hostedZone: z.strictObject({ id: z.string().regex(/^[A-Z0-9]{1,32}$/), name: hostName }).optional(),
});

const mail = z
  .strictObject({
    /** The sender of invitations and password resets. */
    from: mailAddress,
    /**
     * The identity in SES that `from` belongs to: the address, its domain, or a domain above. It must be verified, in
     * the account and region of the stage, and the account out of the SES sandbox, which mails verified addresses only.
     * @default - the identity of the domain of `from`
     */
    identityArn: z
      .string()
      .regex(
        /^arn:aws[a-z-]*:ses:[a-z0-9-]+:\d{12}:identity\/[A-Za-z0-9._+@-]+$/,
        'must be the ARN of an SES identity',
      )
      .optional(),
  })
  .refine(
    ({ from, identityArn }) => {
      const identity = identityArn?.split('/')[1];
      return identity === undefined || identity === from || `.${domainOf(from)}`.endsWith(`.${identity}`);
    },
    { path: ['identityArn'], message: 'must name the address of `from`, its domain, or a domain above' },
  );

const witness = z.strictObject({
  /** Where the witness listens: `add-checkpoint` is posted below it (C2SP tlog-witness). */
  url: z.url({ protocol: /^https$/, error: 'must be an https URL' }),
  /** What its cosignatures verify with (C2SP signed-note): the name, 8 hex digits and a key in base64. */
  verifierKey: z
    .string()
    .max(300)
    .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/, 'must be a verifier key: name+hash+key'),
});

const stage = z
  .strictObject({
    /** Part of every physical name. At most 20 characters, so that role names stay within IAM's 64. */
    name: stageName,
    /** @default us-east-1 */
    region: region.default('us-east-1'),
    /** @default - the account of the credentials that deploy */
    account: accountId.optional(),
    archive,
    /** @default - the execute-api endpoint serves */
    domain: domain.optional(),
    /**
     * Who sends invitations and password resets. A stage that people use needs it: without it neither can be sent.
     * @default - no mail is sent
     */
    mail: mail.optional(),
    /**
     * The keys of access tokens by number, each of them made where it first stands here: the first signs, the others
     * only verify. To rotate without ending a session deploy three times: `[1, 2]` makes the new key known, `[2, 1]`
     * signs with it, and ten minutes later, when every token of the old key has expired, `[2]` drops that. For the last
     * step deploy `Api` by itself first (`cdk deploy -e Api`): a key cannot leave `Keys` while `Api` names it. Where the
     * stage retains, the old key stays in KMS, unused; schedule its deletion there.
     * @default [1]
     */
    signingKeys: z
      .array(z.int().min(1).max(9_999))
      .min(1)
      .max(4)
      .refine((numbers) => new Set(numbers).size === numbers.length, 'must not name a key twice')
      .default([1]),
    /**
     * What the name of every audit log begins with: like a host name, best one that you own. Auditors and witnesses know
     * the logs by it, so choose it before the first deployment and never change it.
     * @default - the stage, its region and its account, which are as stable
     */
    logName: hostName.optional(),
    /**
     * Independent witnesses that cosign checkpoints: the sealer asks each of them at every seal.
     * @default - none
     */
    witnesses: z.array(witness).max(5).default([]),
    /**
     * Who gets the alarms by e-mail; each confirms once. Other receivers subscribe to the topic in the output
     * `AlarmTopicArn`.
     * @default - nobody
     */
    alarmEmails: z.array(z.email('must be an e-mail address')).max(10).default([]),
    /**
     * Dollars that the account may cost in a month: those who get the alarms are told at 80 % of it, and when it is to be
     * expected that it will not do. 0 where somebody else watches the bill.
     * @default 500, or 0 where CloudFormation has no budgets (lib/budget-regions.ts)
     */
    monthlyBudgetUsd: dollars.optional(),
    /**
     * How many values may be opened in an hour before an alarm rings, of each key for values that lies in the account: each
     * is a call to KMS.
     * @default 10000
     */
    decryptsPerHour: z.int().min(1).default(10_000),
    /**
     * SNS topics that workspaces may send their alerts to. They must let this account's deliverer publish.
     * @default - none
     */
    alertTopicArns: z
      .array(z.string().regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/))
      .max(20)
      .default([]),
    /**
     * A MaxMind database (GeoLite2 or GeoIP2, Country or City) to be deployed with the anomaly detector, as a path from
     * the root of the project.
     * @default - places are unknown, unless an edge tells the country
     */
    geoDatabase: z
      .string()
      .regex(/^[\w./-]+\.mmdb$/, 'must be the path of a .mmdb file')
      .optional(),
    /**
     * Domains whose certificates are searched in the logs of certificate transparency, hourly.
     * @default - none: nothing is asked
     */
    watchedDomains: z.array(hostName).max(10).default([]),
    /**
     * Who may issue certificates for them, by the names that the logs show. Any other issuer is an alert.
     * @default - those that have issued before: each new one is an alert
     */
    certificateIssuers: z
      .array(
        z
          .string()
          .min(1)
          .max(100)
          .regex(/^[^,]+$/),
      )
      .max(20)
      .default([]),
    /**
     * Whether the role `restore` exists, which may read backups, fill tables and open samples of values. Deploy it for a
     * restore or a drill, and take it away afterwards.
     * @default false
     */
    recovery: z.boolean().default(false),
    /** Days that CloudWatch keeps each log group. One of the numbers that CloudWatch Logs knows. */
    logRetentionDays: z.enum(RetentionDays),
    /**
     * Call the FIPS 140 endpoints of AWS and serve TLS with FIPS ciphers only.
     * @default false
     */
    fips: z.boolean().default(false),
    /**
     * What `cdk destroy` does with keys, tables, secrets and logs. Buckets are retained in every stage. Tables are
     * protected from deletion in every stage: switch the protection off first where `destroy` is meant, and empty the
     * vault of AWS Backup, which cannot be deleted with snapshots in it (docs/backup.md, "Throwing a stage away").
     * @default retain
     */
    removal: z.enum(['retain', 'destroy']).default('retain'),
    ...tenancyOptions,
  })
  .refine((config) => !config.fips || hasFips(config.region), {
    path: ['fips'],
    message: 'needs a region in the US or Canada: the services used have no FIPS endpoints elsewhere',
  })
  .refine((config) => !config.fips || !config.region.startsWith('ca-') || config.syncAccounts.length === 0, {
    path: ['syncAccounts'],
    message:
      'must be empty with fips in Canada: STS, which gives the roles of those accounts, has no FIPS endpoint there',
  })
  .refine((config) => !config.monthlyBudgetUsd || BUDGET_REGIONS.has(config.region), {
    path: ['monthlyBudgetUsd'],
    message: 'must be 0 or left out: CloudFormation has no AWS::Budgets::Budget in the region of the stage',
  })
  .refine(
    (config) => config.domain === undefined || config.domain.certificateArn.split(':')[3] === config.region,
    {
      path: ['domain', 'certificateArn'],
      message: 'must be a certificate in the region of the stage',
    },
  )
  .refine(
    ({ mail, region, account }) => {
      if (mail?.identityArn === undefined) return true;
      const [, , , identityRegion, identityAccount] = mail.identityArn.split(':');
      return identityRegion === region && (account === undefined || identityAccount === account);
    },
    {
      path: ['mail', 'identityArn'],
      message: 'must be an identity in the account and region of the stage',
    },
  )
  .refine((config) => config.archive.mode === 'GOVERNANCE' || config.removal === 'retain', {
    path: ['removal'],
    message:
      'must be "retain" where the archive is locked in COMPLIANCE mode: evidence without its tables proves little',
  })
  .superRefine((config, context) => {
    for (const fault of tenancyFaults(config)) context.addIssue({ code: 'custom', ...fault });
  })
  .transform((config) => ({
    ...config,
    monthlyBudgetUsd: config.monthlyBudgetUsd ?? (BUDGET_REGIONS.has(config.region) ? 500 : 0),
  }));

/** One deployment of the vault: checked, with every default filled in. */
export type StageConfig = z.output<typeof stage>;

/** What a person writes in `stages.ts`. */
export type StageInput = z.input<typeof stage>;

/** A stage is unknown or its config is wrong. The message is one sentence for whoever runs `cdk`. */
export class StageError extends Error {
  override readonly name = 'StageError';
}

/** Checks a stage config strictly: unknown fields are refused. Throws StageError naming each fault. */
export function parseStage(input: unknown): StageConfig {
  const result = stage.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) =>
    [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': '),
  );
  throw new StageError(`The stage config in lib/stages.ts is not valid: ${faults.join('; ')}.`);
}

/** The domain of an e-mail address. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** What functions that ask for a workspace's plan must be told. */
export function planEnvironment({ defaultPlan }: StageConfig): Record<string, string> {
  return { DEFAULT_PLAN: defaultPlan };
}

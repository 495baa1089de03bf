import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';

const region = z.string().regex(/^[a-z]{2}(-gov)?-[a-z]+-\d$/, 'must be an AWS region such as us-east-1');
const hostName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/, 'must be a host name in lower case such as vault.example.com');

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
  certificateArn: z.string().regex(/^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/),
  /**
   * The Route 53 zone in which to create the alias record.
   * @default - no record; point `name` at the endpoint yourself
   */
  hostedZone: z.strictObject({ id: z.string().regex(/^[A-Z0-9]{1,32}$/), name: hostName }).optional(),
});

const stage = z
  .strictObject({
    /** Part of every physical name. At most 20 characters, so that role names stay within IAM's 64. */
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be 1 to 20 of a-z, 0-9 and -, beginning with a letter'),
    /** @default us-east-1 */
    region: region.default('us-east-1'),
    /** @default - the account of the credentials that deploy */
    account: z
      .string()
      .regex(/^\d{12}$/, 'must be 12 digits')
      .optional(),
    archive,
    /** @default - the execute-api endpoint serves */
    domain: domain.optional(),
    /** Days that CloudWatch keeps each log group. One of the numbers that CloudWatch Logs knows. */
    logRetentionDays: z.enum(RetentionDays),
    /**
     * Call the FIPS 140 endpoints of AWS and serve TLS with FIPS ciphers only.
     * @default false
     */
    fips: z.boolean().default(false),
    /**
     * What `cdk destroy` does with keys, tables, secrets and logs. Buckets are retained in every stage. Tables are
     * protected from deletion in every stage: switch the protection off first where `destroy` is meant.
     * @default retain
     */
    removal: z.enum(['retain', 'destroy']).default('retain'),
  })
  .refine((config) => !config.fips || /^(us|ca)-/.test(config.region), {
    path: ['fips'],
    message: 'needs a region in the US or Canada: the services used have no FIPS endpoints elsewhere',
  })
  .refine(
    (config) => config.domain === undefined || config.domain.certificateArn.split(':')[3] === config.region,
    {
      path: ['domain', 'certificateArn'],
      message: 'must be a certificate in the region of the stage',
    },
  )
  .refine((config) => config.archive.mode === 'GOVERNANCE' || config.removal === 'retain', {
    path: ['removal'],
    message:
      'must be "retain" where the archive is locked in COMPLIANCE mode: evidence without its tables proves little',
  });

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

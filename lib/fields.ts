import * as z from 'zod';

/** Fields that several configurations have, with what is said to whoever gets them wrong. */

/** At most 20 characters, so that the names of roles stay within IAM's 64. */
export const stageName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be 1 to 20 of a-z, 0-9 and -, beginning with a letter');

export const region = z
  .string()
  .regex(/^[a-z]{2}(-gov)?-[a-z]+-\d$/, 'must be an AWS region such as us-east-1');

export const accountId = z.string().regex(/^\d{12}$/, 'must be 12 digits');

export const hostName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/, 'must be a host name in lower case such as vault.example.com');

export const certificateArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    'must be the ARN of an ACM certificate',
  );

/** Letters, digits and ._+- only: the address stands in a policy. */
export const mailAddress = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9._+-]{1,64}@([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/,
    'must be an e-mail address such as vault@example.com, its domain in lower case',
  );

/** A key by its id: whoever could move an alias would exchange the key (KMS Developer Guide, "Key identifiers"). */
export const keyArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    'must be the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>, and not of an alias',
  );

/** One role, without wildcards: the ARN stands in policies. */
export const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/, 'must be the ARN of one IAM role');

/** S3 User Guide, "General purpose bucket naming rules". */
export const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of an S3 bucket');

export const eventBusArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus\/[\w./-]{1,256}$/,
    'must be the ARN of an EventBridge event bus',
  );

const WHOLE_DOLLARS = 'must be a whole number of dollars, 10,000,000 at most';

export const dollars = z.int(WHOLE_DOLLARS).min(0, WHOLE_DOLLARS).max(10_000_000, WHOLE_DOLLARS);

/** The same as the command line has it, in digits. */
export const typedDollars = z
  .union([z.number(), z.string().regex(/^\d{1,8}$/, WHOLE_DOLLARS)], WHOLE_DOLLARS)
  .transform(Number)
  .pipe(dollars);

/** Whether the services used have FIPS 140 endpoints in a region. `core/secrets-sync` asks the same of where copies go. */
export function hasFips(name: string): boolean {
  return /^(us|ca)-/.test(name);
}

/** The parts of an ARN that say where something lies. */
export function placeOf(arn: string): { readonly region: string; readonly accountId: string } {
  const [, , , region = '', accountId = ''] = arn.split(':');
  return { region, accountId };
}

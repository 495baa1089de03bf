import * as z from 'zod';

/** The environment of every function, parsed once. Functions that need no key or bootstrap secret do not get its name. */
const envSchema = z.object({
  STAGE: z.string().min(1),
  VAULT_TABLE: z.string().min(1),
  AUDIT_TABLE: z.string().min(1),
  /** Comma-separated: the key that wraps the data keys of values, then earlier ones that still unwrap. */
  SECRETS_KEY_ARNS: z.string().min(1).optional(),
  /** The customer's key that wraps instead, where the whole deployment is one customer's; second factors stay under the vault's own. */
  TENANT_KEY_ARN: z.string().min(1).optional(),
  /** The accounts whose keys workspaces may bring, comma-separated, or `any`. Without it, none. */
  CUSTOMER_KEY_ACCOUNTS: z
    .string()
    .regex(/^(any|\d{12}(,\d{12})*)$/)
    .optional(),
  /** JSON: keys of the vault's own account that a workspace was given. */
  GRANTED_KEYS: z
    .string()
    .transform(parseJson)
    .pipe(z.array(z.strictObject({ workspaceId: z.string().min(1), keyArn: z.string().min(1) })).readonly())
    .optional(),
  /** Comma-separated ARNs of the roles that a customer's key policy has to let in. */
  KEY_USER_ROLE_ARNS: z.string().min(1).optional(),
  /** The accounts whose roles `lockzero-sync-*` copies of secrets may go to, comma-separated. Without it, none. */
  SYNC_ACCOUNTS: z
    .string()
    .regex(/^\d{12}(,\d{12})*$/)
    .optional(),
  /** Whether the AWS SDK calls FIPS 140 endpoints alone: it reads this by itself. */
  AWS_USE_FIPS_ENDPOINT: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
  /** The plan of workspaces that were assigned none. */
  DEFAULT_PLAN: z.enum(['standard', 'compliance', 'enterprise']).default('standard'),
  ROOT_SECRET_ID: z.string().min(1).optional(),
  SETUP_TOKEN_SECRET_ID: z.string().min(1).optional(),
  /** Comma-separated: the key that signs access tokens, then earlier ones that still verify. */
  SIGNING_KEY_ARNS: z.string().min(1).optional(),
  /** Where people and clients reach the vault: issuer of its tokens, and what links in its mail begin with. */
  PUBLIC_URL: z.url().optional(),
  /** The sender of the vault's mail; without it, the vault sends none. */
  MAIL_FROM: z.string().min(1).optional(),
  /** Where breached passwords are searched, if not at Have I Been Pwned. */
  PWNED_PASSWORDS_URL: z.url().optional(),
  ARCHIVE_BUCKET: z.string().min(1).optional(),
  /** How long the archive locks what is written to it. */
  ARCHIVE_RETENTION_DAYS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/)
    .transform(Number)
    .optional(),
  STAGING_BUCKET: z.string().min(1).optional(),
  /** The key that signs checkpoints and manifests. */
  CHECKPOINT_KEY_ARN: z.string().min(1).optional(),
  /** What the origin of every log begins with: the same for the life of a deployment. */
  LOG_NAME: z.string().min(1).optional(),
  /** JSON: the witnesses that are asked to cosign checkpoints. */
  WITNESSES: z
    .string()
    .transform(parseJson)
    .pipe(z.array(z.strictObject({ url: z.url(), verifierKey: z.string().min(1) })).readonly())
    .optional(),
  SEAL_QUEUE_URL: z.url().optional(),
  DELIVERY_QUEUE_URL: z.url().optional(),
  BACKUP_BUCKET: z.string().min(1).optional(),
  /** The key that encrypts exports of tables. */
  BACKUP_KEY_ARN: z.string().min(1).optional(),
  /** Where exports of tables are asked for, if not at DynamoDB itself. */
  EXPORT_ENDPOINT: z.url().optional(),
  /** The bucket of the CloudTrail trail that has the calls of the key service. */
  TRAIL_BUCKET: z.string().min(1).optional(),
  /** The roles that may decrypt values, comma-separated ARNs: a call by anybody else is an alert. */
  DECRYPTING_ROLE_ARNS: z.string().min(1).optional(),
  /** The roles that may move values from key to key without opening them, comma-separated ARNs. */
  REWRAPPING_ROLE_ARNS: z.string().min(1).optional(),
  /** A MaxMind database file that tells countries, or places, by address. */
  GEO_DATABASE_FILE: z.string().min(1).optional(),
  /** The request header in which a trusted edge tells the client's country, in lower case. Without an edge nobody may set it. */
  COUNTRY_HEADER: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .optional(),
  /** Comma-separated ARNs of the SNS topics that workspaces may send alerts to. */
  ALERT_TOPIC_ARNS: z.string().min(1).optional(),
  /** Comma-separated domains whose certificates are watched, and where the log search answers. */
  WATCHED_DOMAINS: z.string().min(1).optional(),
  CERTIFICATE_SEARCH_URL: z.url().optional(),
  /** Comma-separated names of certificate authorities that may issue for the watched domains. */
  CERTIFICATE_ISSUERS: z.string().min(1).optional(),
  /** Lets webhooks reach private addresses, which only a laptop may want. */
  ALLOW_PRIVATE_WEBHOOKS: z.literal('true').optional(),
});

export type Env = z.infer<typeof envSchema>;

/** @throws Error naming what is missing: a function that is not configured must not start. */
export function readEnv(): Env {
  const parsed = envSchema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Error(`The function is not configured: set the environment variables ${names}.`);
}

export function required<Name extends keyof Env>(env: Env, name: Name): NonNullable<Env[Name]> {
  const value = env[name];
  if (value === undefined)
    throw new Error(`The function is not configured: set the environment variable ${name}.`);
  return value;
}

function parseJson(text: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
}

import * as z from 'zod';

/** The environment of every function, parsed once. Functions that need no key or bootstrap secret do not get its name. */
const envSchema = z.object({
  STAGE: z.string().min(1),
  VAULT_TABLE: z.string().min(1),
  AUDIT_TABLE: z.string().min(1),
  SECRETS_KEY_ARN: z.string().min(1).optional(),
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
});

export type Env = z.infer<typeof envSchema>;

/** @throws Error naming what is missing: a function that is not configured must not start. */
export function readEnv(): Env {
  const parsed = envSchema.safeParse(process.env);
  if (parsed.success) return parsed.data;
  const names = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Error(`The function is not configured: set the environment variables ${names}.`);
}

export function required(env: Env, name: keyof Env): string {
  const value = env[name];
  if (value === undefined)
    throw new Error(`The function is not configured: set the environment variable ${name}.`);
  return value;
}

import * as z from 'zod';

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be 1 to 20 of a-z, 0-9 and -, beginning with a letter');

const witness = z.strictObject({
  /** Part of every physical name. */
  name,
  /** @default us-east-1 */
  region: z
    .string()
    .regex(/^[a-z]{2}(-gov)?-[a-z]+-\d$/, 'must be an AWS region such as us-east-1')
    .default('us-east-1'),
  /** @default - the account of the credentials that deploy; choose another one than the vault's */
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be 12 digits')
    .optional(),
  /** The witness's name in its cosignatures: like a URL without its scheme, and never changed. */
  signerName: z.string().regex(/^[a-z0-9.-]+(\/[A-Za-z0-9._-]+)*$/, 'must be like witness.example.com/w1'),
  /** The deployments that it watches: one log for each workspace. */
  watches: z
    .array(
      z.strictObject({
        /** The `logName` of the stage: what the first line of its checkpoints begins with. */
        logName: z.string().min(1).max(200),
        /** The Ed25519 public key of its checkpoints: 32 bytes in base64. */
        publicKey: z.base64().length(44, 'must be 32 bytes in base64'),
      }),
    )
    .max(20),
});

export type WitnessConfig = z.output<typeof witness>;

/**
 * The witnesses that `cdk -c witness=<name>` can deploy: each belongs into an account of somebody who would tell if the
 * vault's operator cheated. Add yours here.
 */
const witnesses: readonly z.input<typeof witness>[] = [
  { name: 'witness', signerName: 'witness.example.com/w1', watches: [] },
];

/** A witness is unknown or its config is wrong. The message is one sentence for whoever runs `cdk`. */
export class WitnessConfigError extends Error {
  override readonly name = 'WitnessConfigError';
}

/** Checks a witness's config strictly: unknown fields are refused. Throws WitnessConfigError naming each fault. */
export function parseWitness(input: unknown): WitnessConfig {
  const result = witness.safeParse(input);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new WitnessConfigError(`The config in lib/witness.ts is not valid: ${faults.join('; ')}.`);
}

/** The witness of that name. Throws WitnessConfigError with the valid names. */
export function findWitness(wanted: unknown): WitnessConfig {
  const found = witnesses.find((each) => each.name === wanted);
  if (found !== undefined) return parseWitness(found);
  const names = witnesses.map((each) => each.name).join(', ');
  throw new WitnessConfigError(
    `There is no witness ${JSON.stringify(wanted)}: choose ${names} with -c witness=<name>.`,
  );
}

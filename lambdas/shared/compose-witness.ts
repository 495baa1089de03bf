import * as z from 'zod';
import { createDynamoClient } from '../../aws/dynamo-client.ts';
import { createDynamoWitness } from '../../aws/dynamo-witness.ts';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import type { WitnessParts } from '../../core/witness/add-checkpoint.ts';
import { systemClock } from './system.ts';

const PUBLIC_KEY_BYTES = 32;

/** The environment of a witness, which knows nothing of a vault's. */
const envSchema = z.object({
  WITNESS_NAME: z.string().min(1),
  WITNESS_TABLE: z.string().min(1),
  WITNESS_KEY_ARN: z.string().min(1),
  /** JSON: the deployments to watch, each with the name of its logs and their public key in base64. */
  WATCHED_DEPLOYMENTS: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(
      z.array(
        z.strictObject({
          logName: z.string().min(1),
          publicKey: z
            .base64()
            .transform((text) => Uint8Array.from(Buffer.from(text, 'base64')))
            .refine((key) => key.length === PUBLIC_KEY_BYTES, 'must be 32 bytes'),
        }),
      ),
    ),
});

/** @throws Error naming what is missing or wrong: a witness that is not configured must not start. */
export function composeWitness(env: NodeJS.ProcessEnv = process.env): WitnessParts {
  const parsed = envSchema.safeParse(env);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new Error(`The witness is not configured: look at the environment variables ${names}.`);
  }
  const { WITNESS_NAME, WITNESS_TABLE, WITNESS_KEY_ARN, WATCHED_DEPLOYMENTS } = parsed.data;
  return {
    name: WITNESS_NAME,
    deployments: WATCHED_DEPLOYMENTS,
    states: createDynamoWitness(createDynamoClient(), WITNESS_TABLE),
    signer: createKmsSigner([WITNESS_KEY_ARN]),
    clock: systemClock,
  };
}

import { createS3Client, createS3Staging } from '../../aws/s3-archive.ts';
import { createCosigner } from '../../core/witness/ask-witnesses.ts';
import { createWitnessClient } from '../../net/witness-client.ts';
import { createUnrecordedAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { composeLog } from './compose-log.ts';
import { type Env, required } from './env.ts';

/**
 * Everything that the sealer needs.
 *
 * Its alerts are logged and counted, and not recorded in the trail. A row about a log that has shrunk would take the place
 * of a row that was sealed, after which it could not be put back; and a row about rows that cannot be sealed would wake
 * the sealer again.
 */
export function composeSealer(env: Env) {
  const s3 = createS3Client();
  const alerts = createUnrecordedAlerts();
  const witnesses = env.WITNESSES ?? [];
  return {
    ...composeTables(env),
    ...composeLog(env, s3),
    staging: createS3Staging(required(env, 'STAGING_BUCKET'), s3),
    alerts,
    ...(witnesses.length === 0
      ? {}
      : { cosign: createCosigner({ witnesses, client: createWitnessClient(), alerts }) }),
  };
}

import { createBootstrapSecrets } from '../../aws/bootstrap-secrets.ts';
import { createCustomerSecrets } from '../../aws/customer-secrets.ts';
import { createKmsKeyInspector } from '../../aws/kms-key-inspector.ts';
import { createKmsKeys } from '../../aws/kms-keys.ts';
import { createKmsSigner } from '../../aws/kms-signer.ts';
import { createSesMail } from '../../aws/ses-mail.ts';
import { createCursors } from '../../core/crypto/cursors.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import { createPasswordHasher } from '../../core/identity/passwords.ts';
import { createRequestLimit } from '../../core/plans/request-limit.ts';
import { createPwnedPasswords } from '../../net/pwned-passwords.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { composeLog } from './compose-log.ts';
import { customerKeys } from './customer-keys.ts';
import { deploymentKeys } from './deployment-keys.ts';
import { type Env, required } from './env.ts';
import { syncSite } from './sync-site.ts';
import { systemClock, systemRandom } from './system.ts';

export type Vault = ReturnType<typeof composeVault>;

/** Everything that the API needs. Apart from {@link composeTables}, so that jobs do not bundle clients they never use. */
export function composeVault(env: Env) {
  const bootstrap = createBootstrapSecrets(
    {
      rootSecretId: required(env, 'ROOT_SECRET_ID'),
      setupTokenSecretId: required(env, 'SETUP_TOKEN_SECRET_ID'),
    },
    () => systemClock.now(),
  );
  const derivedKeys = createDerivedKeys(() => bootstrap.rootSecret());
  const tables = composeTables(env);
  const site = syncSite(env);
  const alerts = createAlerts(tables, 'api');
  const defaultPlan = env.DEFAULT_PLAN;
  return {
    ...tables,
    alerts,
    defaultPlan,
    requestLimit: createRequestLimit({ ...tables, alerts, defaultPlan }),
    keys: createKmsKeys(),
    keyInspector: createKmsKeyInspector(),
    deploymentKeys: deploymentKeys(env),
    customerKeys: customerKeys(env),
    signer: createKmsSigner(required(env, 'SIGNING_KEY_ARNS').split(',')),
    publicUrl: required(env, 'PUBLIC_URL'),
    hasher: createPasswordHasher(),
    breached: createPwnedPasswords(env.PWNED_PASSWORDS_URL),
    mail: createSesMail(env.MAIL_FROM),
    derivedKeys,
    log: composeLog(env),
    cursors: createCursors(derivedKeys, systemRandom),
    setupToken: () => bootstrap.setupToken(),
    customerSecrets: createCustomerSecrets(site),
    syncSite: site,
    receivers: {
      allowPrivate: env.ALLOW_PRIVATE_WEBHOOKS === 'true',
      sendsMail: env.MAIL_FROM !== undefined,
      topicArns: env.ALERT_TOPIC_ARNS?.split(',') ?? [],
    },
  };
}

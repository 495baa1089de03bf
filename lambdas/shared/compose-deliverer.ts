import { createRootSecret } from '../../aws/bootstrap-secrets.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import type { DeliveryParts } from '../../core/siem/deliver-webhook.ts';
import { createWebhookSender } from '../../net/webhook-sender.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { type Env, required } from './env.ts';
import { systemClock } from './system.ts';

/** What sends webhooks: the tables, the root secret that their secrets derive from, and a way out. */
export function composeDeliverer(env: Env): DeliveryParts {
  const tables = composeTables(env);
  return {
    ...tables,
    derivedKeys: createDerivedKeys(
      createRootSecret(required(env, 'ROOT_SECRET_ID'), () => systemClock.now()),
    ),
    sender: createWebhookSender({ allowPrivate: env.ALLOW_PRIVATE_WEBHOOKS === 'true' }),
    alerts: createAlerts(tables.trail, 'deliverer', systemClock),
  };
}

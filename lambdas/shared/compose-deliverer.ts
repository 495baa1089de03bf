import { createRootSecret } from '../../aws/bootstrap-secrets.ts';
import { createSesMail } from '../../aws/ses-mail.ts';
import { createSnsTopics } from '../../aws/sns-topics.ts';
import { createDerivedKeys } from '../../core/crypto/derived-keys.ts';
import type { DeliveryParts } from '../../core/siem/deliver-webhook.ts';
import { PassedOver } from '../../core/siem/passed-over.ts';
import { createWebhookSender } from '../../net/webhook-sender.ts';
import { createAlerts } from './alerts.ts';
import { composeTables } from './compose.ts';
import { type Env, required } from './env.ts';
import { systemClock } from './system.ts';

/** What sends webhooks: the tables, the root secret that their secrets derive from, and the ways out. */
export function composeDeliverer(env: Env): DeliveryParts {
  const tables = composeTables(env);
  return {
    ...tables,
    derivedKeys: createDerivedKeys(
      createRootSecret(required(env, 'ROOT_SECRET_ID'), () => systemClock.now()),
    ),
    sender: createWebhookSender({ allowPrivate: env.ALLOW_PRIVATE_WEBHOOKS === 'true' }),
    mail: createSesMail(env.MAIL_FROM),
    topics: createSnsTopics(env.ALERT_TOPIC_ARNS?.split(',') ?? []),
    passedOver: new PassedOver(),
    alerts: createAlerts(tables, 'deliverer'),
  };
}

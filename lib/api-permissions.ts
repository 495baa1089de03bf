import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { readCheckpointKey } from './log-access.ts';
import { domainOf, type StageConfig } from './stage.ts';

export interface ApiPermissionsProps {
  readonly stage: StageConfig;
  readonly dataKeyArn: string;
  /** The key that signs access tokens first, then those that still verify. */
  readonly signingKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
  readonly bootstrapSecretArns: readonly string[];
}

/** What the function `api` may do beyond its tables, the archive, values, copies, its log and tracing. Key policies narrow the uses of keys further. */
export function apiPermissions(stack: Stack, props: ApiPermissionsProps): PolicyStatement[] {
  const { stage, dataKeyArn, signingKeyArns, bootstrapSecretArns } = props;
  return [
    ...readSecrets(stack, dataKeyArn, bootstrapSecretArns),
    // The earlier keys verify only, and that takes no more than their public halves.
    new PolicyStatement({ actions: ['kms:Sign'], resources: signingKeyArns.slice(0, 1) }),
    new PolicyStatement({ actions: ['kms:GetPublicKey'], resources: [...signingKeyArns] }),
    readCheckpointKey(props.checkpointKeyArn),
    ...(stage.mail === undefined ? [] : [sendMail(stack, stage.mail)]),
  ];
}

/** Reading secrets in Secrets Manager, which are encrypted under the data key. */
export function readSecrets(
  stack: Stack,
  dataKeyArn: string,
  secretArns: readonly string[],
): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [...secretArns] }),
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [dataKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
    }),
  ];
}

/** Sending mail as the one sender of the stage. */
export function sendMail(stack: Stack, mail: NonNullable<StageConfig['mail']>): PolicyStatement {
  const identity = { service: 'ses', resource: 'identity', resourceName: domainOf(mail.from) };
  return new PolicyStatement({
    actions: ['ses:SendEmail'],
    resources: [mail.identityArn ?? stack.formatArn(identity)],
    conditions: { StringEquals: { 'ses:FromAddress': mail.from } },
  });
}

/** Publishing to the topics that workspaces may choose. */
export function publishAlerts({ alertTopicArns }: StageConfig): PolicyStatement[] {
  if (alertTopicArns.length === 0) return [];
  return [new PolicyStatement({ actions: ['sns:Publish'], resources: [...alertTopicArns] })];
}

/** What functions that know or use these topics must be told. */
export function topicEnvironment({ alertTopicArns }: StageConfig): Record<string, string> {
  return alertTopicArns.length === 0 ? {} : { ALERT_TOPIC_ARNS: alertTopicArns.join(',') };
}

import type { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { domainOf, type StageConfig } from './stage.ts';

export interface ApiPermissionsProps {
  readonly stage: StageConfig;
  readonly secretsKeyArn: string;
  readonly dataKeyArn: string;
  /** The key that signs access tokens first, then those that still verify. */
  readonly signingKeyArns: readonly string[];
  readonly bootstrapSecretArns: readonly string[];
}

/** What the function `api` may do beyond its tables, its log and tracing. Key policies narrow the uses of keys further. */
export function apiPermissions(stack: Stack, props: ApiPermissionsProps): PolicyStatement[] {
  const { stage, secretsKeyArn, dataKeyArn, signingKeyArns, bootstrapSecretArns } = props;
  return [
    new PolicyStatement({ actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [secretsKeyArn] }),
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      resources: [...bootstrapSecretArns],
    }),
    new PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [dataKeyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${stack.region}.amazonaws.com` } },
    }),
    // The earlier keys verify only, and that takes no more than their public halves.
    new PolicyStatement({ actions: ['kms:Sign'], resources: signingKeyArns.slice(0, 1) }),
    new PolicyStatement({ actions: ['kms:GetPublicKey'], resources: [...signingKeyArns] }),
    ...(stage.mail === undefined ? [] : [sendMail(stack, stage.mail)]),
  ];
}

function sendMail(stack: Stack, mail: NonNullable<StageConfig['mail']>): PolicyStatement {
  const identity = { service: 'ses', resource: 'identity', resourceName: domainOf(mail.from) };
  return new PolicyStatement({
    actions: ['ses:SendEmail'],
    resources: [mail.identityArn ?? stack.formatArn(identity)],
    conditions: { StringEquals: { 'ses:FromAddress': mail.from } },
  });
}

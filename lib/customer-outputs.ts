import { CfnOutput, type Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { namesOf, roleArn } from './names.ts';
import type { StageConfig } from './stage.ts';
import { tenantKeyArns, tenantKeyPolicy } from './value-keys.ts';

/**
 * What a customer has to allow for its deployment to work, as outputs of the first stack: the policies of its key, of its
 * bucket and of its event bus can be set before anything needs them. One statement to an output, which keeps each short
 * enough to copy.
 */
export function addCustomerOutputs(stack: Stack, stage: StageConfig): void {
  const [tenantKeyArn, ...earlier] = tenantKeyArns(stage);
  if (tenantKeyArn !== undefined) {
    const stays =
      earlier.length === 0
        ? ''
        : `, and stays in that of ${earlier.join(', ')} until the row deployment_key.migration_completed`;
    for (const statement of tenantKeyPolicy(stage)) {
      const sid = String(statement.sid).replace('Lockzero', '');
      output(
        stack,
        `TenantKeyStatement${sid}`,
        [statement],
        `Belongs into the policy of ${tenantKeyArn}${stays}`,
      );
    }
  }
  const { bucketName, eventBusArn } = stage.customerTrail ?? {};
  if (bucketName !== undefined) {
    output(
      stack,
      'CustomerTrailBucketStatements',
      trailBucketPolicy(stack, stage, bucketName),
      `Belongs into the policy of the bucket ${bucketName}, before the stack Watch is deployed`,
    );
  }
  if (eventBusArn !== undefined) {
    output(
      stack,
      'CustomerEventBusStatement',
      [eventBusStatement(stage, eventBusArn)],
      `Belongs into the policy of ${eventBusArn} if it is another account's, before the stack Watch is deployed`,
    );
  }
}

function output(stack: Stack, id: string, statements: readonly PolicyStatement[], description: string): void {
  const json = statements.map((statement) => statement.toStatementJson());
  new CfnOutput(stack, id, { value: stack.toJsonString(json.length === 1 ? json[0] : json), description });
}

/** CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail": this one trail, and only as the bucket's owner allows. */
function trailBucketPolicy(stack: Stack, stage: StageConfig, bucketName: string): PolicyStatement[] {
  const bucketArn = `arn:${stack.partition}:s3:::${bucketName}`;
  const trail = stack.formatArn({
    service: 'cloudtrail',
    resource: 'trail',
    resourceName: namesOf(stage).customerTrail,
  });
  const cloudTrail = { effect: Effect.ALLOW, principals: [new ServicePrincipal('cloudtrail.amazonaws.com')] };
  return [
    new PolicyStatement({
      ...cloudTrail,
      sid: 'LockzeroTrailLooks',
      actions: ['s3:GetBucketAcl'],
      resources: [bucketArn],
      conditions: { StringEquals: { 'aws:SourceArn': trail } },
    }),
    new PolicyStatement({
      ...cloudTrail,
      sid: 'LockzeroTrailWrites',
      actions: ['s3:PutObject'],
      resources: [`${bucketArn}/AWSLogs/${stack.account}/*`],
      conditions: {
        StringEquals: { 'aws:SourceArn': trail, 's3:x-amz-acl': 'bucket-owner-full-control' },
      },
    }),
  ];
}

/** EventBridge User Guide, "Permissions for Amazon EventBridge event buses". The principal as in archive-readers.ts. */
function eventBusStatement(stage: StageConfig, eventBusArn: string): PolicyStatement {
  return new PolicyStatement({
    sid: 'LockzeroTellsEvents',
    principals: [new AccountRootPrincipal()],
    actions: ['events:PutEvents'],
    resources: [eventBusArn],
    conditions: { ArnEquals: { 'aws:PrincipalArn': roleArn(namesOf(stage).role('customer-events')) } },
  });
}

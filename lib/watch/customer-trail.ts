import { CfnOutput, Stack } from 'aws-cdk-lib';
import { Trail } from 'aws-cdk-lib/aws-cloudtrail';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { callLogReadStatements } from '../archive-readers.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { tenantKeyArns } from '../value-keys.ts';
import type { CallLog } from './call-log.ts';

export interface CustomerTrailProps {
  readonly stage: StageConfig;
  readonly callLog: CallLog;
}

/**
 * The customer's own record of what happens to its key and its deployment: a second trail into a bucket of the customer's,
 * or reading what the first one writes; and, if the customer likes, the same as it happens on an event bus.
 */
export class CustomerTrail extends Construct {
  constructor(scope: Construct, id: string, { stage, callLog }: CustomerTrailProps) {
    super(scope, id);
    const { bucketName, eventBusArn } = stage.customerTrail ?? {};
    if (bucketName === undefined) {
      for (const statement of callLogReadStatements(callLog.bucket, stage)) {
        callLog.bucket.addToResourcePolicy(statement);
      }
    } else {
      this.trail(stage, bucketName);
    }
    if (eventBusArn !== undefined) this.events(stage, eventBusArn);
    new CfnOutput(this, 'BucketName', {
      value: bucketName ?? callLog.bucket.bucketName,
      description: 'Where every call on the customer’s key, and every change in the account, is recorded',
    }).overrideLogicalId('CustomerTrailBucketName');
  }

  private trail(stage: StageConfig, bucketName: string): void {
    const trail = new Trail(this, 'Trail', {
      // The policy of the customer's bucket knows it by this name.
      trailName: namesOf(stage).customerTrail,
      bucket: Bucket.fromBucketName(this, 'Bucket', bucketName) as IBucket,
      enableFileValidation: true,
      includeGlobalServiceEvents: true,
      isMultiRegionTrail: true,
    });
    acknowledge(
      trail,
      'It is for the customer, who reads the files; the vault has a trail of its own.',
      'NIST.800.53.R5-CloudTrailCloudWatchLogsEnabled',
    );
    acknowledge(
      trail,
      'The customer’s bucket encrypts by the customer’s choice.',
      'NIST.800.53.R5-CloudTrailEncryptionEnabled',
    );
  }

  /** Calls on the key read nothing but are "read-only" to CloudTrail: only this state of a rule sees them. */
  private events(stage: StageConfig, eventBusArn: string): void {
    const { role: roleName, customerRule } = namesOf(stage);
    const role = new Role(this, 'EventsRole', {
      // The policy of the customer's bus knows it by this name.
      roleName: roleName('customer-events'),
      description: `Lockzero ${stage.name}: lets EventBridge tell the customer's event bus`,
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const policy = new ManagedPolicy(this, 'EventsPolicy', {
      roles: [role],
      statements: [new PolicyStatement({ actions: ['events:PutEvents'], resources: [eventBusArn] })],
    });
    const rule = new CfnRule(this, 'Events', {
      name: customerRule,
      description: 'Tells the customer of calls on its key and of changes in the account',
      state: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS',
      eventPattern: {
        'detail-type': ['AWS API Call via CloudTrail', 'AWS Service Event via CloudTrail'],
        detail: {
          $or: [
            { readOnly: [false] },
            { eventSource: ['kms.amazonaws.com'], resources: { ARN: [...tenantKeyArns(stage)] } },
            // The record of a refused call often has no resources.
            { eventSource: ['kms.amazonaws.com'], errorCode: [{ exists: true }] },
          ],
        },
      },
      targets: [{ id: 'CustomerBus', arn: eventBusArn, roleArn: role.roleArn }],
    });
    rule.node.addDependency(policy);
  }
}

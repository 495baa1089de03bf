import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';
import { type RunbookSection, runbookLink } from './runbook.ts';

interface Change {
  readonly id: string;
  readonly service: string;
  readonly calls: readonly string[];
  readonly section: RunbookSection;
  /**
   * Only of the deployment's own buckets, by the beginning of their names: others of the account change every day.
   * @default false
   */
  readonly ownBucketsOnly?: boolean;
}

/** What deployments never or hardly ever do, and what would blind the vault or take away what it stands on. */
const CHANGES: readonly Change[] = [
  {
    id: 'CallLog',
    service: 'cloudtrail',
    calls: ['DeleteTrail', 'PutEventSelectors', 'StopLogging', 'UpdateTrail'],
    section: 'CloudTrail was changed',
  },
  {
    id: 'Keys',
    service: 'kms',
    calls: ['DisableKey', 'PutKeyPolicy', 'ScheduleKeyDeletion'],
    section: 'The KMS key is disabled or lost',
  },
  {
    id: 'Tables',
    service: 'dynamodb',
    calls: ['DeleteResourcePolicy', 'DeleteTable', 'PutResourcePolicy', 'UpdateContinuousBackups'],
    section: 'The store is lost',
  },
  {
    id: 'Snapshots',
    service: 'backup',
    calls: [
      'DeleteBackupPlan',
      'DeleteBackupSelection',
      'DeleteBackupVault',
      'DeleteBackupVaultLockConfiguration',
      'DeleteRecoveryPoint',
    ],
    section: 'A backup failed',
  },
  {
    id: 'Buckets',
    service: 's3',
    calls: [
      'DeleteBucketPolicy',
      'PutBucketLifecycle',
      'PutBucketObjectLockConfiguration',
      'PutBucketPolicy',
      'PutBucketVersioning',
      'PutObjectLockConfiguration',
    ],
    section: 'Somebody may be inside',
    ownBucketsOnly: true,
  },
];

/** Tells the topic, within minutes, of calls in this account and region that somebody has to have meant. */
export class ChangeRules extends Construct {
  constructor(scope: Construct, id: string, { stage, topic }: { stage: StageConfig; topic: ITopic }) {
    super(scope, id);
    const { prefix } = namesOf(stage);
    for (const { id: name, service, calls, section, ownBucketsOnly = false } of CHANGES) {
      new Rule(this, name, {
        ruleName: `${prefix}-${service}-changes`,
        description: `Tells of ${calls.join(', ')}`,
        eventPattern: {
          source: [`aws.${service}`],
          detailType: ['AWS API Call via CloudTrail'],
          detail: {
            eventSource: [`${service}.amazonaws.com`],
            eventName: [...calls],
            ...(ownBucketsOnly ? { requestParameters: { bucketName: [{ prefix: `${prefix}-` }] } } : {}),
          },
        },
        targets: [
          new SnsTopic(topic, {
            message: RuleTargetInput.fromText(
              `${EventField.fromPath('$.detail.eventName')} was called by ${EventField.fromPath('$.detail.userIdentity.arn')} ` +
                `at ${EventField.fromPath('$.time')}. If nobody meant it, see ${runbookLink(section)}`,
            ),
          }),
        ],
      });
    }
  }
}

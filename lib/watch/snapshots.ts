import { Duration } from 'aws-cdk-lib';
import { BackupPlan, BackupPlanRule, BackupResource, BackupVault } from 'aws-cdk-lib/aws-backup';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { type IRole, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { removalPolicyOf } from '../constructs/removal.ts';
import { namesOf } from '../names.ts';
import type { StageConfig } from '../stage.ts';

export interface SnapshotsProps {
  readonly stage: StageConfig;
  readonly dataKeyArn: string;
  readonly tables: readonly TableV2[];
}

const KEPT = Duration.days(30);

/** AWS Backup of both tables: every hour, kept for 30 days. Nobody shortens that, whatever IAM lets them do. */
export class Snapshots extends Construct {
  constructor(scope: Construct, id: string, { stage, dataKeyArn, tables }: SnapshotsProps) {
    super(scope, id);
    const { prefix, role: roleName } = namesOf(stage);
    const vault = new BackupVault(this, 'Vault', {
      backupVaultName: prefix,
      encryptionKey: Key.fromKeyArn(this, 'DataKey', dataKeyArn) as IKey,
      removalPolicy: removalPolicyOf(stage),
      // A development stage is thrown away; nothing may hold its backups.
      ...(stage.removal === 'retain' ? { lockConfiguration: { minRetention: KEPT } } : {}),
    });
    const plan = new BackupPlan(this, 'Plan', { backupPlanName: prefix, backupVault: vault });
    plan.addRule(
      new BackupPlanRule({
        ruleName: 'hourly',
        scheduleExpression: Schedule.cron({ minute: '30' }),
        startWindow: Duration.hours(1),
        completionWindow: Duration.hours(4),
        deleteAfter: KEPT,
      }),
    );
    const role = new Role(this, 'Role', {
      // The key policy knows it by this name.
      roleName: roleName('snapshots'),
      description: `Lockzero ${stage.name}: lets AWS Backup copy the tables`,
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: [
        ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSBackupServiceRolePolicyForBackup'),
      ],
    });
    acknowledge(
      role,
      'What AWS Backup needs for tables changes with AWS Backup; its own managed policy follows that.',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup]',
    );
    plan.addSelection('Tables', {
      role: role as IRole,
      disableDefaultBackupPolicy: true,
      resources: tables.map((table) => BackupResource.fromArn(table.tableArn)),
    });
  }
}

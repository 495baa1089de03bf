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
/** How long a lock in compliance mode can still be taken back. AWS Backup allows no less. */
const GRACE = Duration.days(3);

/**
 * AWS Backup of both tables: every hour, kept for 30 days. The vault is locked as the archive is: in compliance mode nobody
 * shortens that, whatever IAM lets them do, once three days have passed since the first deployment (AWS Backup, "Vault lock
 * modes").
 */
export class Snapshots extends Construct {
  constructor(scope: Construct, id: string, { stage, dataKeyArn, tables }: SnapshotsProps) {
    super(scope, id);
    const { prefix, role: roleName } = namesOf(stage);
    const vault = new BackupVault(this, 'Vault', {
      backupVaultName: prefix,
      encryptionKey: Key.fromKeyArn(this, 'DataKey', dataKeyArn) as IKey,
      removalPolicy: removalPolicyOf(stage),
      // A development stage is thrown away; nothing may hold its backups.
      ...(stage.removal === 'retain' ? { lockConfiguration: lockOf(stage) } : {}),
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
    const policies = [
      'service-role/AWSBackupServiceRolePolicyForBackup',
      // Back out of the vault goes only this role, too: the key policy lets no other use the key for tables.
      ...(stage.recovery ? ['service-role/AWSBackupServiceRolePolicyForRestores'] : []),
    ];
    const role = new Role(this, 'Role', {
      // The key policy knows it by this name.
      roleName: roleName('snapshots'),
      description: `Lockzero ${stage.name}: lets AWS Backup copy the tables${stage.recovery ? ', and bring them back' : ''}`,
      assumedBy: new ServicePrincipal('backup.amazonaws.com'),
      managedPolicies: policies.map((name) => ManagedPolicy.fromAwsManagedPolicyName(name)),
    });
    acknowledge(
      role,
      'What AWS Backup needs for tables changes with AWS Backup; its own managed policies follow that.',
      ...policies.map((name) => `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${name}]`),
    );
    plan.addSelection('Tables', {
      role: role as IRole,
      disableDefaultBackupPolicy: true,
      resources: tables.map((table) => BackupResource.fromArn(table.tableArn)),
    });
  }
}

function lockOf({ archive }: StageConfig) {
  return { minRetention: KEPT, ...(archive.mode === 'COMPLIANCE' ? { changeableFor: GRACE } : {}) };
}

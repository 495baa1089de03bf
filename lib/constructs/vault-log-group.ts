import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { StageConfig } from '../stage.ts';
import { removalPolicyOf } from './removal.ts';

export interface VaultLogGroupProps {
  readonly stage: StageConfig;
  readonly dataKeyArn: string;
  /** One of the names that the policy of the data key knows, see `names.ts`. */
  readonly logGroupName: string;
}

/** A log group under the data key, kept as long as the stage says. */
export class VaultLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, props: VaultLogGroupProps) {
    super(scope, id, {
      logGroupName: props.logGroupName,
      encryptionKey: Key.fromKeyArn(scope, `${id}Key`, props.dataKeyArn),
      retention: props.stage.logRetentionDays,
      removalPolicy: removalPolicyOf(props.stage),
    });
  }
}

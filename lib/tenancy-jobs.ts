import { Duration, type Stack } from 'aws-cdk-lib';
import type { DataStack } from './data-stack.ts';
import { logEnvironment, readArchive, readCheckpointKey } from './log-access.ts';
import { dailyAt, everyMinutes } from './rhythm.ts';
import { madeUpForIn, RETRIED, type ScheduledFunction } from './scheduled-function.ts';
import { syncEnvironment, writeCopies } from './secrets-sync-access.ts';
import type { StageConfig } from './stage.ts';
import { useValueKeys, valueKeyEnvironment } from './value-keys.ts';

export interface TenancyJobsProps {
  readonly stage: StageConfig;
  readonly data: DataStack;
  /** The deployment's own keys for values: the one that wraps, then those that still unwrap. */
  readonly secretsKeyArns: readonly string[];
  readonly checkpointKeyArn: string;
}

/** What works for customers by the clock: moving values under their keys, copying secrets, exporting evidence. */
export function tenancyJobs(stack: Stack, props: TenancyJobsProps): ScheduledFunction[] {
  return [rewrapper(stack, props), syncer(stack, props), evidenceExport(props)];
}

function rewrapper(stack: Stack, { stage, secretsKeyArns }: TenancyJobsProps): ScheduledFunction {
  return {
    functionName: 'rewrapper',
    description: 'Moves values under the keys that wrap new ones, without opening them, every minute',
    rhythm: everyMinutes(1),
    timeout: Duration.minutes(5),
    retries: madeUpForIn(Duration.minutes(1)),
    vaultActions: ['BatchGetItem', 'GetItem', 'PutItem', 'Query'],
    queriesList: true,
    auditActions: ['GetItem', 'PutItem', 'Query'],
    valueKeys: useValueKeys(stack, stage, secretsKeyArns, 'rewrapper'),
    environment: valueKeyEnvironment(stage, secretsKeyArns),
  };
}

function syncer(stack: Stack, { stage, secretsKeyArns }: TenancyJobsProps): ScheduledFunction {
  return {
    functionName: 'syncer',
    description: 'Copies secrets that changed into the Secrets Manager of customers, every five minutes',
    rhythm: everyMinutes(5),
    timeout: Duration.minutes(5),
    retries: madeUpForIn(Duration.minutes(5)),
    vaultActions: ['ConditionCheckItem', 'DeleteItem', 'GetItem', 'PutItem', 'Query'],
    queriesList: true,
    auditActions: ['GetItem', 'PutItem', 'Query'],
    ...writeCopies(stack, stage, 'syncer'),
    valueKeys: useValueKeys(stack, stage, secretsKeyArns, 'syncer'),
    environment: { ...valueKeyEnvironment(stage, secretsKeyArns), ...syncEnvironment(stage) },
  };
}

function evidenceExport({ stage, data, checkpointKeyArn }: TenancyJobsProps): ScheduledFunction {
  const evidence = readArchive(data, 'evidence/');
  return {
    functionName: 'evidence-export',
    description: 'Writes evidence of each week or month that is over to the archive, daily',
    rhythm: dailyAt(6, 30),
    timeout: Duration.minutes(15),
    // One full vCPU: it compresses.
    memorySize: 1769,
    retries: RETRIED,
    vaultActions: ['GetItem', 'PutItem', 'Query'],
    queriesList: true,
    auditActions: ['GetItem', 'PutItem', 'Query'],
    objects: [
      readArchive(data, 'log/'),
      readArchive(data, 'archive/'),
      { ...evidence, actions: [...evidence.actions, 'GetObjectRetention', 'PutObject'] },
    ],
    statements: [readCheckpointKey(checkpointKeyArn)],
    environment: {
      ...logEnvironment(stage, data, checkpointKeyArn),
      ARCHIVE_RETENTION_DAYS: String(stage.archive.retentionDays),
    },
  };
}

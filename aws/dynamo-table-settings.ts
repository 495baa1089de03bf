import {
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  GetResourcePolicyCommand,
  type TableDescription,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../core/kernel/ports.ts';
import type { TableSetting, TableSettings } from '../core/restore/restore-tables.ts';
import { errorName } from './clients.ts';
import { storeUnavailable } from './dynamo-client.ts';

interface Tables {
  readonly vaultTable: string;
  readonly auditTable: string;
}

type Setting = TableSetting['setting'];
type Outcome = TableSetting['outcome'];

/** As `lib/data-stack.ts` has them. */
const TTL_ATTRIBUTE = 'ttl';
const RECOVERY_DAYS = 35;
const STREAM = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;

/** What DynamoDB Local says to a request that it does not know. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'UnknownOperationException',
  'UnknownOperation',
  'InvalidAction',
  'NotImplemented',
]);
/** A table takes one change at a time, which lasts some seconds. */
const WAIT_MS = 2_000;
const MAX_WAITS = 60;

/**
 * The `TableSettings` port: brings both tables to the settings that a table loses when it is made from something else
 * than its stack. The resource policy is looked for only: a role that may fill the table must not be able to open it.
 */
export function createDynamoTableSettings(
  client: DynamoDBDocumentClient,
  { vaultTable, auditTable }: Tables,
  clock: Clock,
): TableSettings {
  const describe = async (TableName: string): Promise<TableDescription> => {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName }));
    if (table === undefined) throw new Error(`The table ${TableName} cannot be described.`);
    return table;
  };
  const update = async (work: () => Promise<unknown>): Promise<Outcome> => {
    for (let waits = 0; ; waits += 1) {
      try {
        await work();
        return 'applied';
      } catch (error) {
        if (errorName(error) !== 'ResourceInUseException' || waits === MAX_WAITS) throw error;
        await clock.sleep(WAIT_MS);
      }
    }
  };

  const steps: { readonly [name in Setting]: (table: string) => Promise<Outcome> } = {
    async 'time to live'(TableName) {
      const found = await client.send(new DescribeTimeToLiveCommand({ TableName }));
      const { TimeToLiveStatus: status, AttributeName: name } = found.TimeToLiveDescription ?? {};
      if (name === TTL_ATTRIBUTE && (status === 'ENABLED' || status === 'ENABLING')) return 'right';
      const TimeToLiveSpecification = { Enabled: true, AttributeName: TTL_ATTRIBUTE };
      return update(() => client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification })));
    },
    async 'point-in-time recovery'(TableName) {
      const found = await client.send(new DescribeContinuousBackupsCommand({ TableName }));
      const recovery = found.ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
      const isOn = recovery?.PointInTimeRecoveryStatus === 'ENABLED';
      if (isOn && recovery.RecoveryPeriodInDays === RECOVERY_DAYS) return 'right';
      const PointInTimeRecoverySpecification = {
        PointInTimeRecoveryEnabled: true,
        RecoveryPeriodInDays: RECOVERY_DAYS,
      };
      return update(() =>
        client.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification })),
      );
    },
    async 'deletion protection'(TableName) {
      if ((await describe(TableName)).DeletionProtectionEnabled === true) return 'right';
      return update(() =>
        client.send(new UpdateTableCommand({ TableName, DeletionProtectionEnabled: true })),
      );
    },
    async stream(TableName) {
      const { StreamSpecification: stream } = await describe(TableName);
      if (stream?.StreamEnabled && stream.StreamViewType === STREAM.StreamViewType) return 'right';
      return update(() => client.send(new UpdateTableCommand({ TableName, StreamSpecification: STREAM })));
    },
    async 'resource policy'(TableName) {
      const { TableArn: arn } = await describe(TableName);
      try {
        const { Policy: policy } = await client.send(new GetResourcePolicyCommand({ ResourceArn: arn }));
        return policy?.includes('dynamodb:DeleteItem') ? 'right' : 'absent';
      } catch (error) {
        if (errorName(error) === 'PolicyNotFoundException') return 'absent';
        throw error;
      }
    },
  };

  const settle = async (table: string, setting: Setting): Promise<TableSetting> => {
    try {
      return { table, setting, outcome: await steps[setting](table) };
    } catch (error) {
      if (UNKNOWN.has(errorName(error))) return { table, setting, outcome: 'unsupported' };
      throw storeUnavailable(error);
    }
  };

  return {
    async apply() {
      const settled: TableSetting[] = [];
      for (const table of [vaultTable, auditTable]) {
        if (table === vaultTable) settled.push(await settle(table, 'time to live'));
        for (const setting of ['point-in-time recovery', 'deletion protection', 'stream'] as const)
          settled.push(await settle(table, setting));
        if (table === auditTable) settled.push(await settle(table, 'resource policy'));
      }
      return settled;
    },
  };
}

import { readTableChange, type StreamRecord } from '../../aws/stream-records.ts';
import type { TableChange } from '../../core/detection/table-change.ts';
import { allKinds } from '../../core/kinds.ts';
import type { Env } from './env.ts';

/** What a record of the streams of this deployment's tables says; `undefined` for what nobody has to look at. */
export function tableChangeOf(env: Env, record: StreamRecord): TableChange | undefined {
  return readTableChange({ vaultTable: env.VAULT_TABLE, auditTable: env.AUDIT_TABLE }, allKinds, record);
}

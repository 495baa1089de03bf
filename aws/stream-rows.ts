import { isId, PLATFORM_WORKSPACE } from '../core/kernel/ids.ts';
import type { NewRow } from '../core/seal/wake.ts';
import { readLaneKey } from './items.ts';

/** A record of the stream of `audit`, as far as it is used here (AWS, "DynamoDB Streams and Lambda"). */
export interface RowRecord {
  readonly dynamodb?:
    | {
        readonly Keys?: { readonly [name: string]: { readonly S?: string | undefined } } | undefined;
        readonly SequenceNumber?: string | undefined;
      }
    | undefined;
}

/** The row that a record tells of; `undefined` where its key is none that the vault writes: no job could find it. */
export function readNewRow({ dynamodb }: RowRecord): NewRow | undefined {
  const { workspaceId } = readLaneKey(dynamodb?.Keys?.['pk']?.S ?? '');
  const position = dynamodb?.SequenceNumber;
  const isWorkspace = workspaceId === PLATFORM_WORKSPACE || isId('ws', workspaceId);
  return isWorkspace && position !== undefined ? { workspaceId, position } : undefined;
}

import { buildRows } from '../../../core/audit/build-rows.ts';
import { PRINCIPAL_LANE } from '../../../core/audit/event.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { GENESIS_HASH } from '../../../core/audit/row.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';

/** Puts rows of these times into a lane, numbered from `first` on, whatever is there. */
export async function putRows(
  { ledger, random }: MemoryVault,
  workspaceId: string,
  times: readonly string[],
  { lane = PRINCIPAL_LANE, first = 1 } = {},
): Promise<void> {
  let head = { seq: first - 1, hash: GENESIS_HASH, time: 0 };
  const origin = { ...systemOrigin(workspaceId), lane };
  const event = {
    action: 'secret.read',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
  } as const;
  for (const time of times) {
    const built = buildRows(head, origin, [event], Date.parse(time), random);
    await ledger.append(built.rows, []);
    head = built.head;
  }
}

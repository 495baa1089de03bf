import { STRANGER_LANE } from '../audit/event.ts';
import type { Ledger } from '../audit/ledger.ts';
import { eventRanges } from '../audit/list-events.ts';
import { mergedRows } from '../audit/merged-rows.ts';
import type { AuditRow } from '../audit/row.ts';
import { userKind } from '../identity/user.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type Allowance, allowanceOf, isOpening, REACH_MS, SKEW_MS } from './allowance.ts';
import type { CallSpan } from './key-calls.ts';
import { movesNamedBy, type PermittedMove } from './permitted-moves.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly store: Store;
}

const PAGE = 1_000;

/**
 * The rows of what principals and jobs did in a workspace within a span, and of shortly after it: these may account for
 * calls before them. Of those before it, only the last moments: the calls of earlier ones were made by then and are not in
 * the span, so that these rows would be left over, and account for calls that have none.
 */
export async function* rowsAround(
  { ledger }: Pick<Parts, 'ledger'>,
  workspaceId: string,
  { from, to }: Pick<CallSpan, 'from' | 'to'>,
): AsyncGenerator<AuditRow> {
  const ranges = await eventRanges(ledger, workspaceId, { from: from - SKEW_MS, to: to + REACH_MS });
  const ofPrincipals = ranges.filter(({ lane }) => lane !== STRANGER_LANE);
  for await (const { content } of mergedRows(ledger, ofPrincipals, 'rising', PAGE)) yield content;
}

/** What the rows of a workspace account for. */
export interface RowsAccount {
  /** Of the values that somebody opened. */
  readonly allowances: readonly Allowance[];
  /** The keys that they name, each once. */
  readonly moves: readonly PermittedMove[];
}

export async function readAccount(
  parts: Pick<Parts, 'ledger'>,
  workspaceId: string,
  span: CallSpan,
  opened: { has(value: string): boolean },
): Promise<RowsAccount> {
  const allowances: Allowance[] = [];
  const moves = new Map<string, PermittedMove>();
  for await (const row of rowsAround(parts, workspaceId, span)) {
    const allowance = allowanceOf(row);
    if (allowance !== undefined && allowance.calls > 0 && opened.has(allowance.value))
      allowances.push(allowance);
    for (const move of movesNamedBy(row))
      if (move.of === workspaceId || opened.has(move.of)) moves.set(`${move.of} ${move.keyArn}`, move);
  }
  return { allowances, moves: [...moves.values()] };
}

/** How many values a workspace opened within a span, less the openings that failed. */
export async function countOpenings(
  parts: Pick<Parts, 'ledger'>,
  workspaceId: string,
  span: Pick<CallSpan, 'from' | 'to'>,
): Promise<number> {
  let openings = 0;
  for await (const row of rowsAround(parts, workspaceId, span)) {
    const at = Date.parse(row.ts);
    if (at < span.from || at >= span.to) continue;
    if (isOpening(row)) openings += 1;
    if (row.result === 'failure' && isOpening({ ...row, result: 'success' })) openings -= 1;
  }
  return openings;
}

/**
 * The workspaces where these people may have shown a second factor: theirs, and those that they left since. Of a person
 * whose record somebody spoiled, the latter alone: then calls are told that have a row, and none is hidden.
 */
export async function homesOfPeople(
  { ledger, store }: Parts,
  userIds: ReadonlySet<string>,
  { from }: Pick<CallSpan, 'from'>,
): Promise<ReadonlySet<string>> {
  const homes = new Set<string>();
  if (userIds.size === 0) return homes;
  for (const id of userIds) {
    for (const workspaceId of await workspacesOf(store, id)) homes.add(workspaceId);
  }
  const ranges = await eventRanges(ledger, PLATFORM_WORKSPACE, { from });
  for await (const { content } of mergedRows(ledger, ranges, 'rising', PAGE)) {
    const { action, entity, detail } = content;
    if (action === 'user.left_workspace' && userIds.has(entity.id)) homes.add(detail['workspaceId'] ?? '');
  }
  homes.delete('');
  return homes;
}

async function workspacesOf(store: Store, userId: string): Promise<readonly string[]> {
  try {
    return (await store.get(userKind, PLATFORM_WORKSPACE, userId))?.workspaceIds ?? [];
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return [];
    throw error;
  }
}

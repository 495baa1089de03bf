import type { EntityInspector } from '../../core/audit/entity-inspector.ts';
import { extraLanes, type LaneSet } from '../../core/audit/lane-set.ts';
import {
  type AppendOutcome,
  type ExplainedChange,
  type LaneRef,
  type Ledger,
  MAX_TRANSACTION_ITEMS,
  type StoredRow,
} from '../../core/audit/ledger.ts';
import type { EntityRef } from '../../core/kernel/entity.ts';
import { unavailable } from '../../core/kernel/errors.ts';
import type { Store } from '../../core/kernel/store.ts';
import { allKinds } from '../../core/kinds.ts';
import { memoryInspector } from './memory-inspector.ts';
import { deepCopy, entityKey, memoryStore, type StoredEntity } from './memory-store.ts';

/**
 * How one call goes: well; lost `before` it took effect, or `after`, or so that it takes effect `late`, when the caller
 * has long had the same error; or `contended`, which only an append reports (any other call is lost before). A hook that
 * takes its time makes the call slow; one that never resolves crashes the caller.
 */
export type Fault = 'none' | 'before' | 'after' | 'late' | 'contended';

/** A call of a port, such as `ledger.append` or `store.get`. */
export interface Call {
  readonly name: string;
}

/** The tables of rows and entities in memory, behind the ports that the vault reaches them through. */
export class MemoryTables {
  /** By {@link rowKey}. Open to tests, which spoil rows here as an attacker would. */
  readonly rows = new Map<string, StoredRow>();
  /** By {@link entityKey}; open to tests likewise. */
  readonly entities = new Map<string, StoredEntity>();
  /** Asked before each call takes effect. */
  faults: (call: Call) => Promise<Fault> = async () => 'none';
  /** Awaited after each call took effect and before it answers, and before a late effect: others may act meanwhile. */
  answers: (call: Call) => Promise<void> = async () => undefined;
  /** What one read of rows gives at most, however many are asked for. */
  rowsPerRead = 50;

  readonly ledger: Ledger = {
    lastRow: (lane) => this.call('ledger.lastRow', () => copyRow(this.lane(lane).at(-1))),
    row: (lane, seq) => this.call('ledger.row', () => copyRow(this.rows.get(rowKey(lane, seq)))),
    rows: (lane, from, limit, order = 'rising') =>
      this.call('ledger.rows', () => {
        const rows = this.lane(lane).filter(({ seq }) => (order === 'rising' ? seq >= from : seq <= from));
        if (order === 'falling') rows.reverse();
        return rows.slice(0, Math.min(limit, this.rowsPerRead)).map((row) => copyRow(row));
      }),
    extraLanes: (workspaceId) =>
      this.call('ledger.extraLanes', () => {
        const stored = this.entities.get(entityKey({ kind: 'laneSet', workspaceId, id: workspaceId }));
        return stored === undefined ? [] : extraLanes((stored.entity as LaneSet).count, stored.row.seq);
      }),
    append: (rows, changes) =>
      this.call('ledger.append', () => this.append(rows, changes), { status: 'contended' }),
  };

  readonly store: Store = memoryStore(this.entities, (name, work) => this.call(name, work));

  readonly inspector: EntityInspector = memoryInspector(this.entities, allKinds, (name, work) =>
    this.call(name, work),
  );

  /** The rows of a lane, by rising number. */
  lane({ workspaceId, lane }: LaneRef): StoredRow[] {
    return [...this.rows.values()]
      .filter((row) => row.workspaceId === workspaceId && row.lane === lane)
      .sort((a, b) => a.seq - b.seq);
  }

  /** Performs one call of a port with its faults. */
  async call<T>(name: string, work: () => T, contended?: T): Promise<T> {
    const fault = await this.faults({ name });
    if (fault === 'contended' && contended !== undefined) return contended;
    if (fault === 'before' || fault === 'contended') throw unavailable(`${name} was lost.`);
    if (fault === 'late') {
      void this.answers({ name: `late ${name}` }).then(work);
      throw unavailable(`${name} was lost.`);
    }
    const result = work();
    await this.answers({ name });
    if (fault === 'after') throw unavailable(`${name} was lost.`);
    return result;
  }

  /** One step without any `await`: all or nothing, and nobody sees half of it. */
  private append(rows: readonly StoredRow[], changes: readonly ExplainedChange[]): AppendOutcome {
    checkTransaction(rows, changes);
    const occupant = rows.map((row) => this.rows.get(rowKey(row, row.seq))).find((row) => row !== undefined);
    if (occupant !== undefined) return { status: 'row_taken', row: copyRow(occupant) };
    const refused = changes.flatMap(({ change }, index) =>
      this.revision(change.entity) === change.expect ? [] : [index],
    );
    if (refused.length > 0) return { status: 'change_refused', refused };

    for (const row of rows) this.rows.set(rowKey(row, row.seq), copyRow(row));
    for (const { change, row } of changes) {
      const key = entityKey(change.entity);
      if (change.op === 'put') this.entities.set(key, { entity: deepCopy(change.entity), row: { ...row } });
      if (change.op === 'remove') this.entities.delete(key);
    }
    return { status: 'committed' };
  }

  private revision(ref: EntityRef): number | 'absent' {
    return this.entities.get(entityKey(ref))?.entity.revision ?? 'absent';
  }
}

/** What DynamoDB refuses outright: no items, too many, or two for one key. */
function checkTransaction(rows: readonly StoredRow[], changes: readonly ExplainedChange[]): void {
  const keys = [
    ...rows.map((row) => rowKey(row, row.seq)),
    ...changes.map(({ change }) => entityKey(change.entity)),
  ];
  if (rows.length === 0 || keys.length > MAX_TRANSACTION_ITEMS || new Set(keys).size < keys.length) {
    throw new TypeError(
      `A transaction of ${keys.length} items, no row, or two items with one key is refused.`,
    );
  }
}

export function rowKey({ workspaceId, lane }: LaneRef, seq: number): string {
  return `${workspaceId}#${lane}#${seq}`;
}

function copyRow<T extends StoredRow | undefined>(row: T): T {
  return row && { ...row, bytes: Uint8Array.from(row.bytes) };
}

import type { LaneRef, StoredRow } from '../../core/audit/ledger.ts';
import { type AuditRow, decodeRow, encodeRow, rowHash } from '../../core/audit/row.ts';
import { type Entity, entityDigest } from '../../core/kernel/entity.ts';
import { type MemoryTables, rowKey } from './memory-ledger.ts';
import { entityKey, type StoredEntity } from './memory-store.ts';

/** What somebody does who can write the tables but does not go through the vault. */
export class Tamperer {
  readonly #tables: MemoryTables;

  constructor(tables: MemoryTables) {
    this.#tables = tables;
  }

  row(lane: LaneRef, seq: number): StoredRow {
    const row = this.#tables.rows.get(rowKey(lane, seq));
    if (row === undefined) throw new Error(`There is no row ${seq} in lane ${lane.lane}.`);
    return row;
  }

  putRow(row: StoredRow): void {
    this.#tables.rows.set(rowKey(row, row.seq), row);
  }

  removeRow(lane: LaneRef, seq: number): void {
    if (!this.#tables.rows.delete(rowKey(lane, seq))) throw new Error(`There is no row ${seq}.`);
  }

  /** Replaces a row's bytes, and its hash to match if `rehash`. */
  editBytes(lane: LaneRef, seq: number, edit: (text: string) => string, rehash: boolean): void {
    const row = this.row(lane, seq);
    const before = Buffer.from(row.bytes).toString('utf8');
    const after = edit(before);
    if (after === before) throw new Error('The edit changes nothing.');
    const bytes = Buffer.from(after, 'utf8');
    this.putRow({ ...row, bytes, hash: rehash ? rowHash(bytes) : row.hash });
  }

  /** Replaces a row's content, and writes all that follow in its lane anew: every hash and link fits. */
  rewriteFrom(lane: LaneRef, seq: number, edit: (row: AuditRow) => AuditRow): void {
    let prev: string | undefined;
    for (const stored of this.#tables.lane(lane).filter((row) => row.seq >= seq)) {
      const content = decodeRow(stored.bytes);
      const bytes = encodeRow(
        stored.seq === seq ? edit(content) : { ...content, prev: prev ?? content.prev },
      );
      prev = rowHash(bytes);
      this.putRow({ ...stored, bytes, hash: prev });
    }
  }

  entity(kind: string, id: string): StoredEntity {
    const stored = [...this.#tables.entities.values()].find(
      ({ entity }) => entity.kind === kind && entity.id === id,
    );
    if (stored === undefined) throw new Error(`There is no ${kind} ${id}.`);
    return stored;
  }

  putEntity(entity: Entity, row: StoredEntity['row']): void {
    this.#tables.entities.set(entityKey(entity), { entity, row });
  }

  editEntity(kind: string, id: string, patch: object): void {
    const { entity, row } = this.entity(kind, id);
    const edited = { ...entity, ...patch };
    if (entityDigest(edited) === entityDigest(entity)) throw new Error('The edit changes nothing.');
    this.putEntity(edited, row);
  }

  removeEntity(kind: string, id: string): void {
    this.#tables.entities.delete(entityKey(this.entity(kind, id).entity));
  }
}

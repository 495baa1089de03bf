import type { StoredRow } from '../../core/audit/ledger.ts';
import { type AuditRow, decodeRow, encodeRow, rowHash } from '../../core/audit/row.ts';
import type { SeededRandom } from '../support/random.ts';
import { keyOf, type SealedLog, WORKSPACE } from './sealed-log.ts';

/** What somebody did who can write the tables. */
export interface Edit {
  /** The first row that is no longer as it was sealed, as `<lane>-<seq>`. */
  readonly place: string;
  /** Whether the rows were touched at all, so that somebody who sees nothing but rows can find it. */
  readonly isInRows: boolean;
}

export interface EditKind {
  readonly name: string;
  /** Gives `undefined`, and has changed nothing, where there is no occasion. */
  readonly apply: (log: SealedLog, random: SeededRandom) => Edit | undefined;
}

export const EDITS: readonly EditKind[] = [
  { name: 'a byte of a row', apply: editByte },
  { name: 'a field', apply: (log, random) => editField(log, random, false) },
  { name: 'a field, and the hash beside it', apply: (log, random) => editField(log, random, true) },
  { name: 'the hash beside a row', apply: editHash },
  { name: 'a row deleted', apply: deleteRow },
  { name: 'a row deleted and the gap closed', apply: closeGap },
  { name: 'two rows swapped', apply: swapRows },
  { name: 'a row inserted, and later ones pushed on', apply: insertRow },
  { name: 'a row inserted, and later ones chained to it', apply: insertChained },
  { name: 'a row added to the end, as if it were old', apply: addOldRow },
  { name: 'the tail of a lane cut off', apply: truncate },
  { name: 'a lane dropped', apply: dropLane },
  { name: 'the log chained anew from a row on', apply: rechain },
  { name: 'an entity undone', apply: undoEntity },
  { name: 'an entity undone, and its row with it', apply: undoWithRow },
];

function laneRows(log: SealedLog, lane: number): StoredRow[] {
  return log.tables.lane({ workspaceId: WORKSPACE, lane });
}

function lanesOf(log: SealedLog): number[] {
  return [...new Set(log.leaves.map(({ lane }) => lane))];
}

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  const item = items[random.below(items.length)];
  if (item === undefined) throw new TypeError('There is nothing to choose from.');
  return item;
}

function put(log: SealedLog, row: StoredRow): void {
  log.tables.rows.set(keyOf(row.lane, row.seq), row);
}

function inRows({ lane, seq }: Pick<StoredRow, 'lane' | 'seq'>): Edit {
  return { place: `${lane}-${seq}`, isInRows: true };
}

/** The row with other content; all that the table says beside it fits. */
function rewritten(row: StoredRow, change: (content: AuditRow) => AuditRow): StoredRow {
  const content = change(decodeRow(row.bytes));
  const bytes = encodeRow(content);
  const { ws: workspaceId, lane, seq, nonce } = content;
  return { workspaceId, lane, seq, nonce, bytes, hash: rowHash(bytes) };
}

/** One field of a row changed to something else that it could be. */
function otherField(random: SeededRandom, content: AuditRow): AuditRow {
  switch (random.below(6)) {
    case 0:
      return { ...content, ip: `192.0.2.${random.below(256)}` };
    case 1:
      return { ...content, actor: { ...content.actor, id: `key_${random.uint32()}` } };
    case 2:
      return { ...content, result: content.result === 'denied' ? 'failure' : 'denied' };
    case 3:
      return { ...content, entity: { ...content.entity, id: `sec_${random.uint32()}` } };
    case 4:
      return { ...content, detail: { ...content.detail, note: String(random.uint32()) } };
    default:
      return { ...content, ua: `é ${random.uint32()}` };
  }
}

function editByte(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  const bytes = Uint8Array.from(row.bytes);
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 + random.below(255));
  put(log, { ...row, bytes });
  return inRows(row);
}

function editField(log: SealedLog, random: SeededRandom, isRehashed: boolean): Edit {
  const row = pick(random, log.leaves);
  const edited = rewritten(row, (content) => otherField(random, content));
  put(log, isRehashed ? edited : { ...edited, hash: row.hash });
  return inRows(row);
}

/** Nothing but what the table gives for the row's hash: the row itself is as it was, and so is what others see of it. */
function editHash(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  put(log, { ...row, hash: Buffer.from(random.bytes(32)).toString('hex') });
  return { ...inRows(row), isInRows: false };
}

function deleteRow(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  log.tables.rows.delete(keyOf(row.lane, row.seq));
  return inRows(row);
}

function closeGap(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  removeAndClose(log, row);
  return inRows(row);
}

function removeAndClose(log: SealedLog, row: StoredRow): void {
  const rows = laneRows(log, row.lane);
  const later = rows.filter(({ seq }) => seq > row.seq);
  log.tables.rows.delete(keyOf(row.lane, rows.length));
  chain(log, later, decodeRow(row.bytes).prev, -1);
}

/** Writes rows anew, each chained to the one before and `shift` places on; and the lanes that they open. */
function chain(log: SealedLog, rows: readonly StoredRow[], prev: string, shift: number): void {
  let last = prev;
  for (const row of rows) {
    const fresh = rewritten(row, (content) => ({ ...content, prev: last, seq: content.seq + shift }));
    put(log, fresh);
    chainOpened(log, row, fresh);
    last = fresh.hash;
  }
}

/** A lane begins with the hash of the row that opened it. */
function chainOpened(log: SealedLog, before: StoredRow, after: StoredRow): void {
  const { action, lane, detail } = decodeRow(before.bytes);
  if (action === 'lane.opened' && lane === 0)
    chain(log, laneRows(log, Number(detail['lane'])), after.hash, 0);
}

function swapRows(log: SealedLog, random: SeededRandom): Edit | undefined {
  const rows = laneRows(log, pick(random, lanesOf(log)));
  if (rows.length < 2) return undefined;
  const first = random.below(rows.length - 1);
  const [one, other] = [rows[first], rows[first + 1 + random.below(rows.length - first - 1)]];
  if (one === undefined || other === undefined) return undefined;
  put(log, { ...other, seq: one.seq });
  put(log, { ...one, seq: other.seq });
  return inRows(one);
}

function forged(random: SeededRandom, row: StoredRow): StoredRow {
  const nonce = Buffer.from(random.bytes(16)).toString('hex');
  return rewritten(row, (content) => ({ ...content, nonce, action: 'secret.read', changes: [] }));
}

/** In front of a row, in its place and well chained; the later ones keep their bytes. */
function insertRow(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  const later = laneRows(log, row.lane).filter(({ seq }) => seq >= row.seq);
  put(log, forged(random, row));
  for (const one of later) put(log, { ...one, seq: one.seq + 1 });
  return inRows(row);
}

function insertChained(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  const later = laneRows(log, row.lane).filter(({ seq }) => seq >= row.seq);
  const inserted = forged(random, row);
  put(log, inserted);
  chain(log, later, inserted.hash, 1);
  return inRows(row);
}

function addOldRow(log: SealedLog, random: SeededRandom): Edit {
  const last = laneRows(log, pick(random, lanesOf(log))).at(-1);
  if (last === undefined) throw new TypeError('A lane has rows.');
  const added = rewritten(forged(random, last), (content) => ({
    ...content,
    seq: last.seq + 1,
    prev: last.hash,
  }));
  put(log, added);
  return inRows(added);
}

function truncate(log: SealedLog, random: SeededRandom): Edit {
  const from = pick(random, log.leaves);
  for (const { lane, seq } of laneRows(log, from.lane)) {
    if (seq >= from.seq) log.tables.rows.delete(keyOf(lane, seq));
  }
  return inRows(from);
}

function dropLane(log: SealedLog, random: SeededRandom): Edit {
  const dropped = pick(random, lanesOf(log));
  for (const { lane, seq } of laneRows(log, dropped)) log.tables.rows.delete(keyOf(lane, seq));
  return inRows({ lane: dropped, seq: 1 });
}

function rechain(log: SealedLog, random: SeededRandom): Edit {
  const row = pick(random, log.leaves);
  const later = laneRows(log, row.lane).filter(({ seq }) => seq > row.seq);
  const edited = rewritten(row, (content) => otherField(random, content));
  put(log, edited);
  chainOpened(log, row, edited);
  chain(log, later, edited.hash, 0);
  return inRows(row);
}

/** An entity as it was before its last change, with the row of then; or there again, after it was removed. */
function undoEntity(log: SealedLog, random: SeededRandom): Edit | undefined {
  const undone = lastChange(log, random);
  if (undone === undefined) return undefined;
  return { place: `0-${undone.seq}`, isInRows: false };
}

/** Nothing tells any more that there was a change; all that follows is chained anew. */
function undoWithRow(log: SealedLog, random: SeededRandom): Edit | undefined {
  const undone = lastChange(log, random);
  if (undone === undefined) return undefined;
  removeAndClose(log, undone);
  for (const [key, { entity, row }] of log.tables.entities) {
    const seq = row.lane === 0 && row.seq > undone.seq ? row.seq - 1 : row.seq;
    log.tables.entities.set(key, { entity, row: { ...row, seq } });
  }
  return inRows(undone);
}

/** Undoes the last change of an entity. @returns the row that made it. */
function lastChange(log: SealedLog, random: SeededRandom): StoredRow | undefined {
  const keys = [...log.former.keys()];
  if (keys.length === 0) return undefined;
  const key = pick(random, keys);
  const former = log.former.get(key)?.at(-1);
  if (former === undefined) return undefined;
  const { id, revision } = former.entity;
  // A namespace that was deleted may have been made anew since.
  const row = laneRows(log, 0).findLast(({ bytes }) =>
    decodeRow(bytes).changes.some((change) => change.id === id && change.kind === 'namespace'),
  );
  const made = row && decodeRow(row.bytes).changes.find((change) => change.id === id);
  if (row === undefined || made?.revision !== revision + 1) return undefined;
  log.tables.entities.set(key, former);
  return row;
}

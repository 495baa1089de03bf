import { buildRows, type Head, headAfter, readRow } from '../../../core/audit/build-rows.ts';
import { decodeRow, GENESIS_HASH, rowHash } from '../../../core/audit/row.ts';
import { check, entityDigest, REMOVED_DIGEST, remove, update } from '../../../core/kernel/entity.ts';
import { createNote, noted, noteKind, ORIGIN } from '../../support/notes.ts';
import { SeededRandom } from '../../support/random.ts';

const EMPTY: Head = { seq: 0, hash: GENESIS_HASH, time: 0 };
const NOW = Date.parse('2026-03-01T09:00:00.000Z');

function build(head: Head, events = [noted('n1')], now = NOW) {
  return buildRows(head, ORIGIN, events, now, new SeededRandom(1));
}

it('chains the rows of several events, each with its own nonce', () => {
  const { rows, head } = build({ seq: 7, hash: 'c'.repeat(64), time: 5 }, [
    noted('a'),
    noted('b'),
    noted('c'),
  ]);
  const decoded = rows.map(({ bytes }) => decodeRow(bytes));
  expect(decoded.map(({ seq, entity }) => [seq, entity.id])).toEqual([
    [8, 'a'],
    [9, 'b'],
    [10, 'c'],
  ]);
  expect(decoded.map(({ prev }) => prev)).toEqual(['c'.repeat(64), rows[0]?.hash, rows[1]?.hash]);
  expect(new Set(decoded.map(({ nonce }) => nonce)).size).toBe(3);
  for (const [index, row] of rows.entries()) {
    expect(row).toMatchObject({ workspaceId: ORIGIN.workspaceId, lane: 0, seq: 8 + index });
    expect(row).toMatchObject({ hash: rowHash(row.bytes), nonce: decoded[index]?.nonce });
  }
  expect(head).toEqual({ seq: 10, hash: rows[2]?.hash, time: NOW });
});

it('says what each change left behind: the new digest, zeros for a removal, nothing for a check', () => {
  const created = createNote('n1', 'one');
  const updated = update(noteKind, createNote('n2').entity, { text: 'two' });
  const gone = remove(noteKind, { ...createNote('n3').entity, revision: 4 });
  const event = noted('n1', created, updated, gone, check(noteKind, createNote('n4').entity));
  const [row] = build(EMPTY, [event]).rows;
  expect(row && decodeRow(row.bytes).changes).toEqual([
    { kind: 'note', id: 'n1', revision: 1, digest: entityDigest(created.entity) },
    { kind: 'note', id: 'n2', revision: 2, digest: entityDigest(updated.entity) },
    { kind: 'note', id: 'n3', revision: 5, digest: REMOVED_DIGEST },
  ]);
});

it('takes who, where from and what from the origin and the event', () => {
  const origin = {
    workspaceId: 'ws_9',
    lane: 1,
    actor: { type: 'anonymous', id: '-' },
    ip: '198.51.100.1',
    userAgent: `${'u'.repeat(300)}\ud800`,
  } as const;
  const event = {
    action: 'authentication.failed',
    entity: { type: 'api_key', id: '-' },
    result: 'failure',
    detail: { count: '2' },
  } as const;
  const [row] = buildRows(EMPTY, origin, [event], NOW, new SeededRandom(1)).rows;
  expect(row && decodeRow(row.bytes)).toMatchObject({
    ws: 'ws_9',
    lane: 1,
    ts: '2026-03-01T09:00:00.000Z',
    actor: origin.actor,
    ip: '198.51.100.1',
    ua: 'u'.repeat(256),
    ...event,
    changes: [],
  });
});

it('never goes back in time', () => {
  const later = { seq: 1, hash: GENESIS_HASH, time: NOW + 5 };
  const { rows, head } = build(later);
  expect(rows.map(({ bytes }) => decodeRow(bytes).ts)).toEqual(['2026-03-01T09:00:00.005Z']);
  expect(head.time).toBe(NOW + 5);
});

describe('a stored row', () => {
  const { rows, head } = build(EMPTY);
  const [row] = rows;
  if (row === undefined) throw new Error('One event has one row.');

  it('gives the head that building it gave', () => {
    expect(headAfter(row)).toEqual(head);
  });

  it('whose bytes were spoiled is nothing to read, but still a head to go on from: the hash of what is there', () => {
    const spoiled = { ...row, bytes: Buffer.from('not a row') };
    expect(readRow(spoiled)).toBeUndefined();
    expect(headAfter(spoiled)).toEqual({ seq: 1, hash: rowHash(spoiled.bytes), time: 0 });
  });
});

describe('the country of a request', () => {
  const countryOf = (detail: { readonly [key: string]: string }, country?: string) => {
    const event = {
      action: 'audit.listed',
      entity: { type: 'workspace', id: 'w' },
      result: 'success',
      detail,
    } as const;
    const [row] = buildRows(EMPTY, { ...ORIGIN, country }, [event], NOW, new SeededRandom(1)).rows;
    return row && decodeRow(row.bytes).detail;
  };
  const members = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, '']));

  it('is one more member of the detail', () => {
    expect(countryOf({ count: '2' }, 'DE')).toEqual({ count: '2', country: 'DE' });
    expect(countryOf(members(15), 'DE')).toEqual({ ...members(15), country: 'DE' });
  });

  it('is left out where it is unknown or there is no room, and never takes the place of another member', () => {
    expect(countryOf({ count: '2' })).toEqual({ count: '2' });
    expect(countryOf(members(16), 'DE')).toEqual(members(16));
    expect(countryOf({ country: 'FR' }, 'DE')).toEqual({ country: 'FR' });
  });
});

import fc from 'fast-check';
import { readPlainRow } from '../../../core/audit/plain-row.ts';
import { type AuditRow, encodeRow, readAnyRow } from '../../../core/audit/row.ts';
import { arbitraryRow, sampleRow } from '../../support/rows.ts';

/** The same row with every string of free text in printable ASCII that needs no escape. */
function plain(row: AuditRow): AuditRow {
  const ascii = (text: string): string => text.replace(/[^ !#-[\]-~]/gu, '-');
  const subject = ({ type, id }: AuditRow['entity']) => ({ type, id: ascii(id) });
  return {
    ...row,
    ws: ascii(row.ws),
    ip: ascii(row.ip),
    ua: ascii(row.ua).slice(0, 256),
    actor: subject(row.actor),
    entity: subject(row.entity),
    changes: row.changes.map((change) => ({ ...change, id: ascii(change.id) })),
    detail: Object.fromEntries(Object.entries(row.detail).map(([key, text]) => [key, ascii(text)])),
  };
}

/** What the general reader makes of the bytes: a row, or `undefined` for a refusal. */
function general(bytes: Uint8Array): AuditRow | undefined {
  try {
    return readAnyRow(bytes);
  } catch {
    return undefined;
  }
}

const EDITS = [
  '',
  ' ',
  ',',
  '"',
  '{',
  '}',
  '[',
  ']',
  ':',
  '\\',
  '0',
  '1',
  '9',
  'a',
  'é',
  '\n',
  '"x":"y",',
  '{}',
  '99999999',
];

describe('the shortcut for plain rows', () => {
  it('reads every plain row as the general reader does', () => {
    fc.assert(
      fc.property(arbitraryRow.map(plain), (row) => {
        const bytes = encodeRow(row);
        expect(readPlainRow(bytes)).toEqual(row);
        expect(readAnyRow(bytes)).toEqual(row);
      }),
    );
  });

  it('leaves rows with other characters to the general reader', () => {
    for (const ua of ['"', '\\', 'é', '\u0000', '\u007f', '🔐']) {
      expect(readPlainRow(encodeRow({ ...sampleRow(), ua }))).toBeUndefined();
    }
  });

  it('accepts no edit that the general reader refuses or reads otherwise', () => {
    fc.assert(
      fc.property(
        arbitraryRow.map(plain),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(12),
        fc.constantFrom(...EDITS),
        (row, place, dropped, inserted) => {
          const text = Buffer.from(encodeRow(row)).toString('latin1');
          const at = Math.floor(place * text.length);
          const edited = Buffer.from(text.slice(0, at) + inserted + text.slice(at + dropped), 'utf8');
          const read = readPlainRow(edited);
          if (read !== undefined) expect(read).toEqual(general(edited));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['details out of order', '"detail":{"b":"1","a":"2"}'],
    ['a detail twice', '"detail":{"a":"1","a":"1"}'],
    ['a comma before the first detail', '"detail":{,"a":"1"}'],
    [
      'seventeen details',
      `"detail":{${Array.from({ length: 17 }, (_, i) => `"k${String.fromCharCode(97 + i)}":""`).join(',')}}`,
    ],
  ])('refuses %s', (_, detail) => {
    const text = Buffer.from(encodeRow({ ...sampleRow(), detail: {} })).toString();
    const edited = Buffer.from(text.replace('"detail":{}', detail));
    expect(readPlainRow(edited)).toBeUndefined();
    expect(general(edited)).toBeUndefined();
  });

  it.each([
    ['a revision beyond 2^53 - 1', '"revision":3}', '"revision":9007199254740993}'],
    ['a sequence number beyond 2^53 - 1', '"seq":"5"', '"seq":"9007199254740993"'],
    ['a lane beyond 65535', '"lane":"0"', '"lane":"65536"'],
    ['the 30th of February', '2026-03-01T', '2026-02-30T'],
    ['a comma before the first change', '"changes":[{', '"changes":[,{'],
    ['text after the row', '"v":1,"ws":"ws_1"}', '"v":1,"ws":"ws_1"} '],
  ])('refuses %s', (_, from, to) => {
    const edited = Buffer.from(Buffer.from(encodeRow(sampleRow())).toString().replace(from, to));
    expect(readPlainRow(edited)).toBeUndefined();
    expect(general(edited)).toBeUndefined();
  });
});

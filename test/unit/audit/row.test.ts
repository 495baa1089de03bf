import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  type AuditRow,
  decodeRow,
  encodeRow,
  GENESIS_HASH,
  RowFormatError,
  rowHash,
} from '../../../core/audit/row.ts';
import { canonicalJson } from '../../../core/kernel/canonical-json.ts';
import { flipBit, fromHex } from '../../support/bytes.ts';
import { arbitraryRow, sampleRow } from '../../support/rows.ts';
import merkle from '../../vectors/rfc6962.json';
import frozen from '../../vectors/rows-v1.json';

const frozenRows = frozen.rows.map((sample) => ({ ...sample, row: asRow(sample.row) }));

describe('frozen rows', () => {
  it.each(frozenRows)('$name', ({ row, utf8, size, hash }) => {
    const bytes = encodeRow(row);
    expect(Buffer.from(bytes).toString()).toBe(utf8);
    expect(bytes).toHaveLength(size);
    expect(rowHash(bytes)).toBe(hash);
    expect(decodeRow(Buffer.from(utf8))).toEqual(row);
  });

  it('form a chain, and lane 1 starts at the row that opened it', () => {
    const [first, opening, third, fourth, stranger] = frozenRows;
    expect(first?.row.prev).toBe(GENESIS_HASH);
    expect([opening, third, fourth].map((sample) => sample?.row.prev)).toEqual(
      [first, opening, third].map((sample) => sample?.hash),
    );
    expect(opening?.row).toMatchObject({ lane: 0, action: 'lane.opened', detail: { lane: '1' } });
    expect(stranger?.row).toMatchObject({ lane: 1, seq: 1, prev: opening?.hash });
  });
});

describe('the row hash is the leaf hash of RFC 6962', () => {
  it('of each published leaf', () => {
    expect(merkle.leaves.map((leaf) => rowHash(fromHex(leaf)))).toEqual(merkle.levels[0]);
  });

  it('so that the published trees grow from it', () => {
    const leaves = merkle.leaves.map((leaf) => rowHash(fromHex(leaf)));
    const roots = merkle.roots.map((_, size) => treeHash(leaves.slice(0, size)));
    expect(roots).toEqual(merkle.roots);
  });

  /** MTH of RFC 6962 section 2.1, from leaf hashes. */
  function treeHash(leaves: readonly string[]): string {
    const sha256 = (hex: string): string => createHash('sha256').update(hex, 'hex').digest('hex');
    const [first] = leaves;
    if (first === undefined) return sha256('');
    if (leaves.length === 1) return first;
    const half = 2 ** Math.floor(Math.log2(leaves.length - 1));
    return sha256(`01${treeHash(leaves.slice(0, half))}${treeHash(leaves.slice(half))}`);
  }
});

describe('any row', () => {
  it('is read back as it was written, and its bytes are canonical JSON', () => {
    fc.assert(
      fc.property(arbitraryRow, (row) => {
        const bytes = encodeRow(row);
        const decoded = decodeRow(bytes);
        expect(decoded).toEqual(row);
        expect(Buffer.compare(encodeRow(decoded), bytes)).toBe(0);
        const { lane, seq, ...rest } = row;
        const json = { ...rest, v: 1, lane: String(lane), seq: String(seq) };
        expect(Buffer.from(bytes).toString()).toBe(canonicalJson(JSON.parse(JSON.stringify(json))));
      }),
    );
  });

  it('is read from the middle of a larger buffer', () => {
    const bytes = encodeRow(sampleRow());
    const larger = Buffer.concat([Buffer.from('{"before"'), bytes, Buffer.from('after}')]);
    expect(decodeRow(larger.subarray(9, 9 + bytes.length))).toEqual(sampleRow());
  });

  it('with one byte changed is refused or is another row with exactly those bytes', () => {
    fc.assert(
      fc.property(arbitraryRow, fc.nat(), fc.integer({ min: 1, max: 255 }), (row, at, mask) => {
        const bytes = Uint8Array.from(encodeRow(row));
        const place = at % bytes.length;
        bytes[place] = (bytes[place] ?? 0) ^ mask;
        expectRefusedOrExact(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of the frozen ones, with any one bit flipped, likewise', () => {
    for (const { utf8 } of frozenRows.slice(0, 5)) {
      const bytes = Buffer.from(utf8);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) expectRefusedOrExact(flipBit(bytes, bit));
    }
  });

  it('that is cut anywhere is refused', () => {
    const bytes = encodeRow(sampleRow());
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => decodeRow(bytes.subarray(0, length))).toThrow(RowFormatError);
  });

  function expectRefusedOrExact(bytes: Uint8Array): void {
    let decoded: AuditRow;
    try {
      decoded = decodeRow(bytes);
    } catch (error) {
      if (error instanceof RowFormatError) return;
      throw error;
    }
    if (Buffer.compare(encodeRow(decoded), bytes) !== 0)
      throw new Error(`${Buffer.from(bytes).toString()} was read, but is not canonical.`);
  }
});

/** JSON modules are typed by their samples: details that one row lacks are optional there. */
function asRow(row: (typeof frozen.rows)[number]['row']): AuditRow {
  return { ...row, detail: row.detail as AuditRow['detail'] };
}

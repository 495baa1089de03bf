import fc from 'fast-check';
import { decodeRow, encodeRow, RowFormatError } from '../../core/audit/row.ts';
import { RowError, readRow } from '../../verify/row.js';
import { verifyProof, verifyRows } from '../../verify/verify.js';
import { arbitraryRow, sampleRow } from '../support/rows.ts';
import rowsV1 from '../vectors/rows-v1.json';
import { edited, FORGER, HONEST, KEY, ROWS, TestLog } from './support.ts';

/** What each reader makes of bytes: the row, or why it is none. */
function byVault(bytes: Uint8Array): unknown {
  try {
    return decodeRow(bytes);
  } catch (error) {
    if (error instanceof RowFormatError) return error.reason;
    throw error;
  }
}

function byVerifier(bytes: Uint8Array): unknown {
  try {
    const { v: _, ...row } = { v: 1, ...readRow(bytes) };
    return row;
  } catch (error) {
    if (error instanceof RowError) return error.code;
    throw error;
  }
}

describe('rows are read as the vault reads them', () => {
  test('the samples of the format', () => {
    for (const { utf8 } of rowsV1.rows) {
      const bytes = Buffer.from(utf8);
      expect(byVerifier(bytes)).toEqual(byVault(bytes));
    }
  });

  test('any row', () => {
    fc.assert(
      fc.property(arbitraryRow, (row) => {
        const bytes = encodeRow(row);
        expect(byVerifier(bytes)).toEqual(row);
      }),
      { numRuns: 200 },
    );
  });

  test('any row with a byte changed, put in or taken out', () => {
    const bytes = encodeRow(sampleRow());
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.nat(255), fc.constantFrom(0, 1, 2), (at, byte, kind) => {
        const spoiled = Buffer.concat([
          bytes.subarray(0, at),
          kind === 0 ? Buffer.alloc(0) : Buffer.of(byte),
          bytes.subarray(kind === 1 ? at : at + 1),
        ]);
        expect(byVerifier(spoiled)).toEqual(byVault(spoiled));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['an unknown member', '"v":1', '"u":"","v":1'],
    ['a doubled member', '"v":1', '"v":1,"v":1'],
    ['an unknown member of the actor', '"type":"api_key"', '"kind":"x","type":"api_key"'],
    ['a __proto__', '{"action"', '{"__proto__":{},"action"'],
    ['members out of order', '"Zone":"z","reason":"role"', '"reason":"role","Zone":"z"'],
    ['an escape that is not the shortest', 'curl', '\\u0063url'],
    ['a lone surrogate', 'curl', '\\ud800'],
    ['a day that does not exist', '2026-03-01', '2026-02-30'],
    ['an hour that does not exist', 'T09', 'T24'],
    ['a number with a zero in front', '"seq":"5"', '"seq":"05"'],
    ['a lane too large', '"lane":"0"', '"lane":"65536"'],
    ['number zero', '"seq":"5"', '"seq":"0"'],
    ['a revision that is no whole number', '"revision":3', '"revision":3.5'],
    ['a revision written otherwise', '"revision":3', '"revision":3e0'],
    ['a newline at the end', '"ws":"ws_1"}', '"ws":"ws_1"}\n'],
  ])('%s is refused alike', (_, from, to) => {
    const bytes = edited(encodeRow(sampleRow()), from, to);
    expect(typeof byVerifier(bytes)).toBe('string');
    expect(byVerifier(bytes)).toBe(byVault(bytes));
  });
});

describe('rows against a sealed root', () => {
  const rows = ROWS.map(({ bytes }) => bytes);
  const sealed = { workspaceId: 'ws_1', root: HONEST.root, size: HONEST.size };
  const withHashes = { ...sealed, leafHashes: HONEST.hashes };

  test('as they were sealed', () => {
    expect(verifyRows(rows, sealed)).toEqual([]);
    expect(verifyRows(rows, withHashes)).toEqual([]);
    expect(verifyRows([], { ...sealed, root: new TestLog([]).root, size: 0 })).toEqual([]);
  });

  test('every row that is edited is named', () => {
    for (const [leaf, { lane, seq, bytes }] of ROWS.entries()) {
      const changed = rows.with(leaf, edited(bytes, 'curl', 'wget'));
      expect(verifyRows(changed, withHashes)).toMatchObject([
        { code: 'hash_mismatch', lane, seq, leaf },
        { code: 'root_mismatch' },
      ]);
      const isLast = ROWS.findLastIndex((row) => row.lane === lane) === leaf;
      const [first] = verifyRows(changed, sealed);
      expect(first).toMatchObject(
        isLast ? { code: 'root_mismatch' } : { code: 'hash_mismatch', lane, seq, leaf },
      );
    }
  });

  test('every row that is spoiled or taken out is named', () => {
    for (const [leaf, { lane, seq }] of ROWS.entries()) {
      const [spoiled] = verifyRows(rows.with(leaf, Buffer.from('{}')), sealed);
      expect(spoiled).toMatchObject({ code: 'unknown_version', lane, seq, leaf });
      const isLast = ROWS.findLastIndex((row) => row.lane === lane) === leaf;
      const [missing] = verifyRows(rows.toSpliced(leaf, 1), withHashes);
      expect(missing).toMatchObject(
        isLast ? { code: 'missing_row', leaf } : { code: 'missing_row', lane, seq },
      );
    }
  });

  test('rows of two lanes exchanged are found by the root alone', () => {
    const exchanged = [...rows.slice(0, 5), ...rows.slice(6, 7), ...rows.slice(5, 6), ...rows.slice(7)];
    expect(verifyRows(exchanged, sealed)).toMatchObject([{ code: 'root_mismatch' }]);
    expect(verifyRows(exchanged, withHashes)).toMatchObject([
      { code: 'hash_mismatch', leaf: 5 },
      { code: 'hash_mismatch', leaf: 6 },
      { code: 'root_mismatch' },
    ]);
  });

  test('a row more than was sealed', () => {
    expect(verifyRows(rows, { ...sealed, size: 22 })).toMatchObject([
      { code: 'unsealed_row' },
      { code: 'root_mismatch' },
    ]);
  });

  test('the last row of the only lane, edited', () => {
    const log = new TestLog(rows.slice(0, 6));
    const changed = log.entries.with(5, edited(log.entries[5] ?? new Uint8Array(), 'curl', 'wget'));
    expect(verifyRows(changed, { workspaceId: 'ws_1', root: log.root, size: 6 })).toMatchObject([
      { code: 'root_mismatch', lane: 0, seq: 6, leaf: 5 },
    ]);
  });
});

describe('a single row with its proof', () => {
  test('every row of the log is valid', async () => {
    for (let leaf = 0; leaf < HONEST.size; leaf += 1) {
      const { verdict, row } = verifyProof(await HONEST.proof(leaf), { keys: [KEY] });
      expect([verdict, row?.lane, row?.seq]).toEqual(['valid', ROWS[leaf]?.lane, ROWS[leaf]?.seq]);
    }
  });

  test('an edited row, another place, somebody else, and nothing of the kind', async () => {
    const proof = Buffer.from(await HONEST.proof(3)).toString();
    const code = (text: string) => verifyProof(Buffer.from(text), { keys: [KEY] }).problems[0]?.code;
    const row = Buffer.from(edited(ROWS[3]?.bytes ?? new Uint8Array(), 'curl', 'wget')).toString('base64');
    expect(code(proof.replace(/extra .*/, `extra ${row}`))).toBe('root_mismatch');
    expect(code(proof.replace(/extra .*/, 'extra e30='))).toBe('unknown_version');
    expect(code(proof.replace('index 3', 'index 2'))).toBe('root_mismatch');
    expect(code(proof.replace(/extra .*\n/, ''))).toBe('malformed_evidence');
    expect(code(proof.replace('index 3\n', 'index 3\nAAAA\n'))).toBe('malformed_evidence');
    const forged = Buffer.from(await new TestLog(HONEST.entries, FORGER).proof(3));
    expect(code(forged.toString())).toBe('bad_signature');
    expect(verifyProof(forged).verdict).toBe('self-consistent but unsigned');
  });

  test('a checkpoint kept of the same size is compared; of others nothing is shown', async () => {
    const codes = async (checkpoint: Uint8Array) =>
      verifyProof(await HONEST.proof(3), { keys: [KEY], checkpoint }).problems.map(({ code }) => code);
    expect(await codes(HONEST.checkpoint())).toEqual([]);
    expect(await codes(HONEST.checkpoint(9))).toEqual(['kept_checkpoint_not_covered']);
    expect(await codes(new TestLog(HONEST.entries.toReversed()).checkpoint())).toEqual(['log_forked']);
  });
});

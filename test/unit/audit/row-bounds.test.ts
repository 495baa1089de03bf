import fc from 'fast-check';
import {
  type AuditRow,
  boundedUserAgent,
  decodeRow,
  encodeRow,
  MAX_ROW_BYTES,
  RowFormatError,
} from '../../../core/audit/row.ts';
import { fromHex } from '../../support/bytes.ts';
import { sampleRow } from '../../support/rows.ts';

describe('reading refuses', () => {
  const text = Buffer.from(encodeRow(sampleRow())).toString();
  const swap = (from: string, to: string): string => {
    const result = text.replace(from, () => to);
    if (result === text) throw new Error(`The sample has no ${from}.`);
    return result;
  };

  const cases: [string, RowFormatError['reason'], string][] = [
    ['version 2', 'unknown_version', swap('"v":1', '"v":2')],
    ['a version that is text', 'unknown_version', swap('"v":1', '"v":"1"')],
    ['no version', 'unknown_version', swap('"v":1,', '')],
    ['an extra member', 'not_canonical', swap('"ws":', '"wa":"","ws":')],
    ['an extra member of the actor', 'not_canonical', swap('"type":"api_key"', '"type":"api_key","x":1')],
    ['an extra member of the entity', 'not_canonical', swap('"type":"secret"', '"role":1,"type":"secret"')],
    ['an extra member of a change', 'not_canonical', swap('"revision":3', '"note":"","revision":3')],
    ['a __proto__ member', 'not_canonical', swap('"action"', '"__proto__":{"x":1},"action"')],
    ['a __proto__ detail', 'malformed', swap('"detail":{', '"detail":{"__proto__":"x",')],
    ['a duplicate member', 'not_canonical', swap('"ip":', '"ip":"203.0.113.9","ip":')],
    ['a duplicate detail', 'not_canonical', swap('"reason":', '"reason":"other","reason":')],
    ['reordered members', 'not_canonical', swap('"v":1,"ws":"ws_1"', '"ws":"ws_1","v":1')],
    ['reordered details', 'not_canonical', swap('"Zone":"z","reason":"role"', '"reason":"role","Zone":"z"')],
    ['white space within', 'not_canonical', swap('"v":1', '"v": 1')],
    ['white space before', 'not_canonical', ` ${text}`],
    ['a line break after', 'not_canonical', `${text}\n`],
    ['a byte order mark', 'malformed', `\ufeff${text}`],
    ['a needless escape', 'not_canonical', swap('curl', '\\u0063url')],
    ['an escaped slash', 'not_canonical', swap('curl/', 'curl\\/')],
    ['a revision written 3.0', 'not_canonical', swap('"revision":3', '"revision":3.0')],
    ['a revision written 3e0', 'not_canonical', swap('"revision":3', '"revision":3e0')],
    ['a revision of 0', 'malformed', swap('"revision":3', '"revision":0')],
    ['a fractional revision', 'malformed', swap('"revision":3', '"revision":3.5')],
    ['a revision beyond safe integers', 'malformed', swap('"revision":3', '"revision":9007199254740992')],
    ['a lane that is a number', 'malformed', swap('"lane":"0"', '"lane":0')],
    ['a lane with a leading zero', 'malformed', swap('"lane":"0"', '"lane":"00"')],
    ['a negative lane', 'malformed', swap('"lane":"0"', '"lane":"-1"')],
    ['a lane over 65535', 'malformed', swap('"lane":"0"', '"lane":"65536"')],
    ['seq 0', 'malformed', swap('"seq":"5"', '"seq":"0"')],
    ['a seq with white space', 'malformed', swap('"seq":"5"', '"seq":"5 "')],
    ['a seq of 17 digits', 'malformed', swap('"seq":"5"', '"seq":"10000000000000000"')],
    ['a date that does not exist', 'malformed', swap('2026-03-01', '2026-02-30')],
    ['a time without milliseconds', 'malformed', swap('00.000Z', '00Z')],
    ['an upper-case hash', 'malformed', swap('aaaa', 'AAAA')],
    ['a short nonce', 'malformed', swap('"nonce":"b', '"nonce":"')],
    ['an unknown result', 'malformed', swap('"denied"', '"maybe"')],
    ['no result', 'malformed', swap('"result":"denied",', '')],
    ['an action with upper case', 'malformed', swap('secret.revealed', 'Secret.revealed')],
    ['a kind with a digit', 'malformed', swap('"kind":"secret"', '"kind":"secret2"')],
    ['an empty actor id', 'malformed', swap('"id":"key_1"', '"id":""')],
    ['an actor that is null', 'malformed', swap('{"id":"key_1","type":"api_key"}', 'null')],
    ['changes that are no list', 'malformed', swap('"changes":[', '"changes":{},"x":[')],
    ['a change that is null', 'malformed', swap('"changes":[', '"changes":[null,')],
    ['a detail that is a number', 'malformed', swap('"role"', '1')],
    ['details that are a list', 'not_canonical', swap('{"Zone":"z","reason":"role"}', '[]')],
    ['a lone surrogate', 'malformed', swap('curl', '\\ud800')],
    ['a user agent that is too long', 'malformed', swap('curl', 'u'.repeat(513))],
    ['a list', 'malformed', `[${text}]`],
    ['null', 'malformed', 'null'],
    ['deep nesting', 'malformed', '['.repeat(60_000)],
    ['nothing', 'malformed', ''],
  ];

  it.each(cases)('%s: %s', (_, reason, changed) => {
    expect(refusal(Buffer.from(changed))).toBe(reason);
  });

  it('bytes that are not UTF-8: overlong, a surrogate, a stray byte', () => {
    const at = text.indexOf('curl');
    for (const bytes of ['c1a3', 'eda080', 'ff', '80']) {
      const changed = Buffer.concat([
        Buffer.from(text.slice(0, at)),
        fromHex(bytes),
        Buffer.from(text.slice(at)),
      ]);
      expect(refusal(changed)).toBe('malformed');
    }
  });

  it('more bytes than a row may have, before it parses them', () => {
    expect(refusal(Buffer.from(`${text}${' '.repeat(MAX_ROW_BYTES)}`))).toBe('malformed');
  });

  function refusal(bytes: Uint8Array): unknown {
    try {
      return decodeRow(bytes);
    } catch (error) {
      if (error instanceof RowFormatError) return error.reason;
      throw error;
    }
  }
});

describe('writing', () => {
  const id = '€'.repeat(300);
  const change = { kind: 'secret', id, revision: 1, digest: 'd'.repeat(64) };
  /** A row of exactly `size` bytes, mostly of long ids. */
  const sized = (size: number): AuditRow => {
    const row = { ...sampleRow(), changes: Array.from({ length: 60 }, () => change) };
    const missing = size - encodeRow(row).length;
    const details = Math.ceil(missing / 400);
    const pad = (n: number): string => 'x'.repeat(n);
    const detail: Record<string, string> = { ...row.detail };
    for (let i = 0; i < details; i += 1) detail[`pad${String.fromCharCode(97 + i)}`] = '';
    let left = size - encodeRow({ ...row, detail }).length;
    for (const key of Object.keys(detail).filter((name) => name.startsWith('pad'))) {
      detail[key] = pad(Math.min(left, 512));
      left -= Math.min(left, 512);
    }
    return { ...row, detail };
  };

  it(`allows ${MAX_ROW_BYTES} bytes, and not one more`, () => {
    const largest = sized(MAX_ROW_BYTES);
    expect(encodeRow(largest)).toHaveLength(MAX_ROW_BYTES);
    expect(decodeRow(encodeRow(largest))).toEqual(largest);
    expect(() => encodeRow({ ...largest, ip: `${largest.ip}1` })).toThrow(RowFormatError);
  });

  const outside: [string, Partial<AuditRow>][] = [
    ['101 changes', { changes: Array.from({ length: 101 }, () => ({ ...change, id: 'x' })) }],
    ['17 details', { detail: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`d${i}`, ''])) }],
    ['a detail of 513', { detail: { long: 'x'.repeat(513) } }],
    ['a detail name with a dash', { detail: { 'a-b': '' } }],
    ['a lone surrogate', { ua: '\udfff' }],
    ['a lone surrogate in a detail', { detail: { a: '\ud800' } }],
    ['seq 0', { seq: 0 }],
    ['a fractional seq', { seq: 1.5 }],
    ['lane 65536', { lane: 65_536 }],
    ['an empty workspace', { ws: '' }],
    ['a long ip', { ip: '1'.repeat(65) }],
    ['an upper-case hash', { prev: 'A'.repeat(64) }],
    ['a time of another form', { ts: '2026-03-01' }],
    ['an unknown result', { result: 'ok' }],
  ];

  it.each(outside)('refuses %s', (_, field) => {
    expect(() => encodeRow({ ...sampleRow(), ...field })).toThrow(RowFormatError);
  });
});

describe('boundedUserAgent', () => {
  it('keeps 256 code points, not 256 code units', () => {
    expect(boundedUserAgent('\u{1F510}'.repeat(300))).toBe('\u{1F510}'.repeat(256));
    expect(boundedUserAgent('a'.repeat(257))).toBe('a'.repeat(256));
    expect(boundedUserAgent('')).toBe('');
  });

  it('replaces lone surrogates, so that a stranger cannot make a row fail', () => {
    expect(boundedUserAgent('a\ud800b\udc00')).toBe('a\ufffdb\ufffd');
  });

  it('always fits a row', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 700 }), (units) => {
        const ua = boundedUserAgent(String.fromCharCode(...units));
        expect(decodeRow(encodeRow({ ...sampleRow(), ua })).ua).toBe(ua);
      }),
    );
  });
});

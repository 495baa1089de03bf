import fc from 'fast-check';
import { cosignatureBytes, cosignedMessage } from '../../core/transparency/cosignature.ts';
import { formatVerifierKey, signatureLine } from '../../core/transparency/signed-note.ts';
import { NoteError } from '../../verify/note.js';
import { verifyEvidence } from '../../verify/verify.js';
import { NoteSigner } from '../support/note-signer.ts';
import { BURSTS, edited, type Files, FORGER, HONEST, KEY, rowsOf, TestLog } from './support.ts';

const options = { keys: [KEY] };

async function judged(files: Promise<Files> | Files, given: Parameters<typeof verifyEvidence>[1] = options) {
  return verifyEvidence(await files, given);
}

describe('the files beside the leaves', () => {
  const codes = async (change: (files: Files) => unknown) => {
    const files = new Map(await HONEST.bundle({ first: 9, end: 20 }));
    change(files);
    return (await judged(files)).problems.map(({ code }) => code);
  };
  const replaced = (files: Files, name: string, from: string | RegExp, to: string) =>
    files.set(name, edited(files.get(name) ?? new Uint8Array(), from, to));

  test.each<[string, (files: Files) => unknown, string]>([
    ['no bundle.json', (files) => files.delete('bundle.json'), 'missing_file'],
    ['no leaves', (files) => files.delete('leaves.ndjson'), 'missing_file'],
    [
      'a seal without its proof',
      (files) => files.delete('seals/0000000000000018.consistency.json'),
      'missing_file',
    ],
    ['a manifest without its note', (files) => files.delete('manifests/2026-03-01.note'), 'missing_file'],
    ['a file more', (files) => files.set('README', Buffer.from('Trust me.')), 'unknown_file'],
    [
      'another format',
      (files) => replaced(files, 'bundle.json', 'evidence/1', 'evidence/2'),
      'malformed_evidence',
    ],
    ['an unknown member', (files) => replaced(files, 'bundle.json', '{', '{"a":1,'), 'malformed_evidence'],
    [
      'a doubled member',
      (files) => replaced(files, 'bundle.json', '{', '{"treeSize":23,'),
      'malformed_evidence',
    ],
    ['another origin', (files) => replaced(files, 'bundle.json', 'log.example', 'log.evil'), 'wrong_origin'],
    ['another workspace', (files) => replaced(files, 'bundle.json', '"ws_1"', '"ws_2"'), 'wrong_origin'],
    [
      'another tree size',
      (files) => replaced(files, 'bundle.json', '"treeSize":23', '"treeSize":24'),
      'wrong_origin',
    ],
    [
      'another first leaf',
      (files) => replaced(files, 'bundle.json', '"firstLeaf":9', '"firstLeaf":7'),
      'malformed_evidence',
    ],
    [
      'another first leaf of the same form',
      (files) => replaced(files, 'bundle.json', '"firstLeaf":9', '"firstLeaf":10'),
      'root_mismatch',
    ],
    [
      'fewer leaves than told',
      (files) => replaced(files, 'bundle.json', '"leaves":11', '"leaves":12'),
      'missing_row',
    ],
    [
      'more leaves than told',
      (files) => replaced(files, 'bundle.json', '"leaves":11', '"leaves":10'),
      'unsealed_row',
    ],
    ['an edited checkpoint', (files) => replaced(files, 'checkpoint', '\n23\n', '\n24\n'), 'bad_signature'],
    [
      'a checkpoint by somebody else',
      (files) => files.set('checkpoint', new TestLog(HONEST.entries, FORGER).checkpoint()),
      'bad_signature',
    ],
    ['no note at all', (files) => files.set('checkpoint', Buffer.from('valid')), 'malformed_evidence'],
    [
      'another range proof',
      (files) => replaced(files, 'range-proof.json', /"left":\["..../, '"left":["AAAA'),
      'root_mismatch',
    ],
    [
      'a shorter range proof',
      (files) => replaced(files, 'range-proof.json', /"left":\["[^"]*",/, '"left":['),
      'malformed_evidence',
    ],
    [
      'an edited seal',
      (files) => replaced(files, 'seals/0000000000000018', '\n18\n', '\n17\n'),
      'seal_mismatch',
    ],
    [
      'a seal by somebody else',
      (files) => files.set('seals/0000000000000018', new TestLog(HONEST.entries, FORGER).checkpoint(18)),
      'seal_mismatch',
    ],
    [
      'another proof of a seal',
      (files) => replaced(files, 'seals/0000000000000018.consistency.json', '"hashes":["', '"hashes":["AAAA'),
      'malformed_evidence',
    ],
    [
      'a proof of another seal',
      (files) => replaced(files, 'seals/0000000000000018.consistency.json', '"from":18', '"from":17'),
      'seal_mismatch',
    ],
    [
      'an edited manifest',
      (files) => replaced(files, 'manifests/2026-03-01.json', '"v1"', '"v2"'),
      'manifest_mismatch',
    ],
    [
      'a manifest of another day',
      (files) =>
        files.set('manifests/2026-03-02.json', files.get('manifests/2026-03-01.json') ?? new Uint8Array()),
      'manifest_mismatch',
    ],
    [
      'a manifest by somebody else',
      (files) =>
        files.set(
          'manifests/2026-03-01.note',
          new TestLog(HONEST.entries, FORGER).manifests().get('archive/ws_1/2026-03-01/manifest.note') ??
            new Uint8Array(),
        ),
      'manifest_mismatch',
    ],
  ])('%s: found', async (_, change, code) => {
    expect(await codes(change)).toContain(code);
  });

  test('a signed manifest that does not fit the rows', async () => {
    const other = new TestLog(rowsOf(BURSTS.toSpliced(1, 1)).map(({ bytes }) => bytes));
    const found = await codes((files) => {
      for (const part of ['json', 'note']) {
        const bytes = other
          .manifests()
          .get(`archive/ws_1/2026-03-01/manifest.${part === 'json' ? 'json' : 'note'}`);
        files.set(`manifests/2026-03-01.${part}`, bytes ?? new Uint8Array());
      }
    });
    expect(found).toContain('manifest_mismatch');
  });

  test('a seal that the log did not grow from', async () => {
    const fork = new TestLog(
      rowsOf(BURSTS.toSpliced(3, 1)).map(({ bytes }) => bytes),
      undefined,
      [18],
    );
    const files = await HONEST.bundle();
    files.set('seals/0000000000000018', fork.checkpoint(18));
    expect((await judged(files)).problems).toMatchObject([{ code: 'seal_mismatch' }]);
  });
});

test('a byte changed anywhere in any file is found', async () => {
  const files = await HONEST.bundle({ first: 9, end: 20 });
  // Nothing signs these: a key for convenience, and what the bundle says that it is for.
  files.delete('verifier-key');
  const beside = new Map(files);
  beside.delete('bundle.json');
  fc.assert(
    fc.property(
      fc.constantFrom(...beside),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ([name, bytes], at, mask) => {
        const place = at % bytes.length;
        const spoiled = Uint8Array.from(bytes, (byte, index) => (index === place ? byte ^ mask : byte));
        const { verdict } = verifyEvidence(new Map(files).set(name, spoiled), options);
        // Whether the last line ends with a newline says nothing.
        const isLastNewline = name === 'leaves.ndjson' && place === bytes.length - 1;
        expect([name, place, verdict]).toEqual([name, place, isLastNewline ? verdict : 'not valid']);
      },
    ),
    { numRuns: 500 },
  );
});

describe('a checkpoint that the auditor kept', () => {
  const withKept = (size: number, log = HONEST, range = {}) =>
    HONEST.bundle(range).then((files) => judged(files, { keys: [KEY], checkpoint: log.checkpoint(size) }));

  test('of every size that the leaves, the range proof or a seal show', async () => {
    for (const size of [0, 1, 9, 13, 22, 23]) expect((await withKept(size)).verdict).toBe('valid');
    for (const size of [8, 10, 12, 14, 18, 23])
      expect((await withKept(size, HONEST, { first: 10, end: 14 })).verdict).toBe('valid');
    expect((await withKept(9)).counts['keptCheckpoints']).toBe(1);
  });

  test('that nothing here leads from', async () => {
    const result = await withKept(9, HONEST, { first: 10, end: 14 });
    expect(result.problems).toMatchObject([{ code: 'kept_checkpoint_not_covered' }]);
  });

  test('of a longer log, of another history, by somebody else, of another log', async () => {
    const longer = new TestLog([...HONEST.entries, ...HONEST.entries.slice(0, 1)]);
    expect((await withKept(24, longer)).problems).toMatchObject([{ code: 'log_shrunk' }]);
    const fork = new TestLog(HONEST.entries.toReversed());
    for (const size of [1, 9, 12, 23])
      expect((await withKept(size, fork)).problems).toMatchObject([{ code: 'log_forked' }]);
    const forged = new TestLog(HONEST.entries, FORGER);
    expect((await withKept(9, forged)).problems).toMatchObject([{ code: 'bad_signature' }]);
  });
});

describe('keys', () => {
  test('of another log are no keys of this one', async () => {
    const other = formatVerifierKey(new NoteSigner(new Uint8Array(32).fill(1), 'log.example/ws_2').key);
    const result = await judged(HONEST.bundle(), { keys: [other] });
    expect(result).toMatchObject({ verdict: 'not valid', problems: [{ code: 'wrong_origin' }] });
    expect((await judged(HONEST.bundle(), { keys: [other, KEY] })).verdict).toBe('valid');
  });

  test('of witnesses demand a cosignature', async () => {
    const witness = new NoteSigner(new Uint8Array(32).fill(3), 'witness.example', 4);
    const line = (text: string) =>
      signatureLine(
        witness.key,
        cosignatureBytes(1_772_000_000, witness.sign(cosignedMessage(text, 1_772_000_000))),
      );
    const given = { keys: [KEY], witnesses: [formatVerifierKey(witness.key)] };
    const files = await HONEST.bundle();
    expect((await judged(files, given)).problems).toMatchObject([{ code: 'bad_cosignature' }]);
    files.set('checkpoint', HONEST.checkpoint(23, [line]));
    expect(await judged(files, given)).toMatchObject({
      verdict: 'valid',
      remarks: ['witness.example cosigned the checkpoint, 2026-02-25T06:13:20.000Z.'],
      counts: { cosignatures: 1 },
    });
    files.set('checkpoint', HONEST.checkpoint(23, [(text) => line(`${text}more\n`)]));
    expect((await judged(files, given)).problems).toMatchObject([{ code: 'bad_cosignature' }]);
  });

  test("that are none are the auditor's own mistake", () => {
    for (const key of ['', 'name', KEY.replace('+', ' '), KEY.slice(0, -4), KEY.replace('log', 'lag')])
      expect(() => verifyEvidence(new Map(), { keys: [key] })).toThrow(NoteError);
    expect(() => verifyEvidence(new Map(), { witnesses: [KEY] })).toThrow(NoteError);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { encodeEntries } from '../../core/transparency/tiles.ts';
import { verifyArchive } from '../../verify/folder.js';
import { edited, type Files, FORGER, HONEST, KEY, ROWS, rowsOf, SIGNER, TestLog } from './support.ts';

const LOG = 'log/ws_1';
const DAY = 'archive/ws_1/2026-03-01';
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function judged(files: Files, options: Parameters<typeof verifyArchive>[1] = { keys: [KEY] }) {
  const folder = mkdtempSync(join(tmpdir(), 'lockzero-verify-'));
  folders.push(folder);
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
  return verifyArchive(folder, options);
}

function found(files: Files) {
  return judged(files).problems.map(({ code, lane, seq, leaf }) => [
    code,
    ...(lane === undefined ? [] : [`${lane}-${seq}`]),
    ...(leaf === undefined ? [] : [leaf]),
  ]);
}

/** A log of three full bundles and a partial one, sealed five times. */
const large = new TestLog(
  rowsOf([
    { lane: 0, at: '2026-03-01T09:00:00.000Z', events: [{ opens: 1 }, ...Array(299).fill('secret.read')] },
    { lane: 1, at: '2026-03-01T09:00:00.000Z', events: Array(500).fill('authentication.failed') },
  ]).map(({ bytes }) => bytes),
  SIGNER,
  [1, 255, 256, 400, 800],
);

/** The files of an archive, changed. */
function changed(change: (files: Files) => unknown, log = HONEST): Files {
  const files = log.archive();
  change(files);
  return files;
}

function entry(leaf: number, from: string | RegExp, to: string): Uint8Array {
  const rows = ROWS.map(({ bytes }) => bytes);
  return encodeEntries(rows.with(leaf, edited(rows[leaf] ?? new Uint8Array(), from, to)));
}

const spoiled = (bytes: Uint8Array | undefined, at: number) =>
  Uint8Array.from(bytes ?? [], (byte, index) => (index === at ? byte ^ 1 : byte));

test('an honest archive is valid', () => {
  expect(judged(HONEST.archive())).toEqual({
    verdict: 'valid',
    problems: [],
    moreProblems: 0,
    remarks: [],
    origin: 'log.example/ws_1',
    counts: {
      logs: 1,
      leaves: 23,
      rows: 23,
      lanes: 3,
      tiles: 1,
      seals: 3,
      days: 2,
      parts: 4,
      archivedRows: 23,
    },
  });
});

test('a log of several tiles is valid, whether partial ones were removed or not', () => {
  const files = new Map([...large.archive()].filter(([name]) => !name.startsWith('archive/')));
  expect(judged(files)).toMatchObject({ verdict: 'valid', counts: { leaves: 800, tiles: 5, seals: 5 } });
  for (const name of [...files.keys()]) if (/000\.p\//.test(name)) files.delete(name);
  expect(judged(files)).toMatchObject({ verdict: 'not valid', problems: [{ code: 'missing_file' }] });
  files.set(`${LOG}/tile/1/000.p/3`, large.archive().get(`${LOG}/tile/1/000.p/3`) ?? new Uint8Array());
  expect(judged(files).verdict).toBe('valid');
});

test('without a key it is unsigned at best', () => {
  expect(judged(HONEST.archive(), {}).verdict).toBe('self-consistent but unsigned');
  expect(judged(new TestLog(HONEST.entries, FORGER).archive()).problems[0]?.code).toBe('bad_signature');
});

test('a log in the folder of another workspace, one without a checkpoint, and no log at all', () => {
  const files = HONEST.archive();
  for (const [name, bytes] of HONEST.archive()) files.set(name.replace('ws_1', 'ws_2'), bytes);
  expect(found(files)).toContainEqual(['wrong_origin']);
  expect(judged(new Map([[`${LOG}/checkpoint`, Buffer.from('?')]])).problems).toMatchObject([
    { code: 'malformed_evidence' },
    { code: 'wrong_origin' },
  ]);
  expect(judged(new Map([['readme', Buffer.from('?')]])).problems).toMatchObject([{ code: 'missing_file' }]);
});

test.each<[string, (files: Files) => unknown, unknown[]]>([
  [
    'an edited row',
    (files) => files.set(`${LOG}/tile/entries/000.p/23`, entry(3, 'curl', 'wget')),
    ['hash_mismatch', '0-4', 3],
  ],
  [
    'the last row, edited',
    (files) => files.set(`${LOG}/tile/entries/000.p/23`, entry(22, 'curl', 'wget')),
    ['hash_mismatch', '2-7', 22],
  ],
  [
    'a row that is none',
    (files) => files.set(`${LOG}/tile/entries/000.p/23`, entry(22, '"v":1', '"v":"')),
    ['malformed', '2-7', 22],
  ],
  [
    'an edited earlier bundle',
    (files) => files.set(`${LOG}/tile/entries/000.p/9`, encodeEntries(HONEST.entries.slice(1, 10))),
    ['tile_mismatch'],
  ],
  ['no bundle', (files) => files.delete(`${LOG}/tile/entries/000.p/23`), ['missing_file', 0]],
  [
    'a bundle cut off',
    (files) => files.set(`${LOG}/tile/entries/000.p/23`, encodeEntries(HONEST.entries).slice(0, -1)),
    ['tile_mismatch', 22],
  ],
  [
    'a bundle with less',
    (files) => files.set(`${LOG}/tile/entries/000.p/23`, encodeEntries(HONEST.entries.slice(0, 20))),
    ['tile_mismatch', 20],
  ],
  [
    'an edited tile',
    (files) => files.set(`${LOG}/tile/0/000.p/23`, spoiled(files.get(`${LOG}/tile/0/000.p/23`), 40)),
    ['tile_mismatch'],
  ],
  [
    'an edited earlier tile',
    (files) => files.set(`${LOG}/tile/0/000.p/9`, spoiled(files.get(`${LOG}/tile/0/000.p/9`), 40)),
    ['tile_mismatch'],
  ],
  [
    'a tile cut off',
    (files) => files.set(`${LOG}/tile/0/000.p/23`, files.get(`${LOG}/tile/0/000.p/18`) ?? new Uint8Array()),
    ['tile_mismatch'],
  ],
  ['no tile', (files) => files.delete(`${LOG}/tile/0/000.p/23`), ['missing_file']],
  [
    'no checkpoint to an origin',
    (files) => files.set(`${LOG}/checkpoint`, Buffer.from('?')),
    ['malformed_evidence'],
  ],
  [
    'a seal under another name',
    (files) => files.set(`${LOG}/seals/0000000000000017`, HONEST.checkpoint(18)),
    ['seal_mismatch'],
  ],
  [
    'a seal by somebody else',
    (files) => files.set(`${LOG}/seals/0000000000000018`, new TestLog(HONEST.entries, FORGER).checkpoint(18)),
    ['seal_mismatch'],
  ],
  [
    'a seal of another history',
    (files) =>
      files.set(`${LOG}/seals/0000000000000018`, new TestLog(HONEST.entries.toReversed()).checkpoint(18)),
    ['seal_mismatch'],
  ],
  [
    'an edited object',
    (files) => files.set(`${DAY}/0-0001.ndjson.gz`, spoiled(files.get(`${DAY}/0-0001.ndjson.gz`), 30)),
    ['archive_mismatch', '0-1'],
  ],
  ['no object', (files) => files.delete(`${DAY}/0-0001.ndjson.gz`), ['missing_file']],
  [
    'an edited manifest',
    (files) =>
      files.set(
        `${DAY}/manifest.json`,
        edited(files.get(`${DAY}/manifest.json`) ?? new Uint8Array(), '"v1"', '"v2"'),
      ),
    ['manifest_mismatch'],
  ],
  ['a manifest without its note', (files) => files.delete(`${DAY}/manifest.note`), ['missing_file']],
  [
    'a manifest by somebody else',
    (files) =>
      files.set(
        `${DAY}/manifest.note`,
        new TestLog(HONEST.entries, FORGER).manifests().get(`${DAY}/manifest.note`) ?? new Uint8Array(),
      ),
    ['manifest_mismatch'],
  ],
  ['no first day', (files) => files.delete(`${DAY}/manifest.json`), ['missing_file']],
])('%s: found', (_, change, expected) => {
  expect(found(changed(change))).toContainEqual(expected);
});

test('an archive of other rows than the sealed ones, signed by the same key', () => {
  const rows = HONEST.entries.with(3, edited(HONEST.entries[3] ?? new Uint8Array(), 'curl', 'wget'));
  const files = changed((all) => {
    for (const [name, bytes] of new TestLog(rows).manifests()) all.set(name, bytes);
  });
  expect(found(files)[0]).toEqual(['archive_mismatch', '0-4']);
});

test('a published checkpoint put back to an earlier one: the seals tell', () => {
  const result = judged(changed((files) => files.set(`${LOG}/checkpoint`, HONEST.checkpoint(9))));
  expect(result).toMatchObject({
    verdict: 'valid',
    remarks: ['ws_1: the published checkpoint is older than the last seal, 23.'],
    counts: { leaves: 23 },
  });
});

test('a byte changed anywhere in any file is found', () => {
  const files = HONEST.archive();
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      ([name, bytes], at, mask) => {
        const place = at % bytes.length;
        const altered = Uint8Array.from(bytes, (byte, index) => (index === place ? byte ^ mask : byte));
        expect([name, place, judged(new Map(files).set(name, altered)).verdict]).toEqual([
          name,
          place,
          'not valid',
        ]);
      },
    ),
    { numRuns: 100 },
  );
});

describe('a checkpoint that the auditor kept', () => {
  const withKept = (log: TestLog, size: number, of = HONEST) =>
    judged(log.archive(), { keys: [KEY], checkpoint: of.checkpoint(size) }).problems.map(({ code }) => code);

  test('of any size is compared', () => {
    for (const size of [0, 1, 9, 15, 23]) expect(withKept(HONEST, size)).toEqual([]);
  });

  test('gives a rewritten, a cut and a foreign log away, even if that is signed', () => {
    const fork = new TestLog(
      rowsOf([{ lane: 0, at: '2026-03-01T09:00:00.000Z', events: Array(23).fill('secret.read') }]).map(
        ({ bytes }) => bytes,
      ),
    );
    expect(withKept(fork, 15)).toEqual(['log_forked']);
    expect(withKept(new TestLog(HONEST.entries.slice(0, 18), SIGNER, [9, 18]), 23)).toEqual(['log_shrunk']);
  });
});

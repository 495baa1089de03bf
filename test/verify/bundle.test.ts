import { verifyEvidence } from '../../verify/verify.js';
import {
  BURSTS,
  edited,
  type Files,
  FORGER,
  HONEST,
  json,
  KEY,
  ROWS,
  rowsOf,
  TestLog,
  withLines,
} from './support.ts';

const options = { keys: [KEY] };

async function judged(files: Promise<Files> | Files, given: Parameters<typeof verifyEvidence>[1] = options) {
  return verifyEvidence(await files, given);
}

/** The first problem as the command tells it. */
async function firstOf(files: Promise<Files> | Files) {
  const { code, lane, seq, leaf } = (await judged(files)).problems[0] ?? {};
  return [code, lane === undefined ? undefined : `${lane}-${seq}`, leaf];
}

test('an honest bundle of the whole log is valid', async () => {
  const result = await judged(HONEST.bundle());
  expect(result).toEqual({
    verdict: 'valid',
    problems: [],
    moreProblems: 0,
    remarks: [],
    origin: 'log.example/ws_1',
    counts: { leaves: 23, rows: 23, withheld: 0, lanes: 3, seals: 3, manifests: 2 },
  });
});

test.each([0, 3, 9, 14, 22, 23])('every stretch of the log from leaf %i is valid', async (first) => {
  for (const end of [first, first + 1, 13, 18, 22, 23].filter((size) => size >= first && size <= 23)) {
    const { problems, verdict } = await judged(HONEST.bundle({ first, end }));
    expect({ end, problems, verdict }).toEqual({ end, problems: [], verdict: 'valid' });
  }
});

test('without a key it is unsigned at best, whatever key comes with it', async () => {
  expect((await judged(HONEST.bundle(), {})).verdict).toBe('self-consistent but unsigned');
  const forged = new TestLog(HONEST.entries, FORGER);
  expect((await judged(forged.bundle(), {})).verdict).toBe('self-consistent but unsigned');
  expect((await judged(forged.bundle())).problems[0]?.code).toBe('bad_signature');
});

describe('a filtered bundle', () => {
  const filtered = () => HONEST.bundle({ filter: { action: 'secret.revealed' } });

  test('is valid, and tells how many rows it leaves out', async () => {
    expect(await judged(filtered())).toMatchObject({
      verdict: 'valid',
      remarks: ['The bundle is made for rows with action secret.revealed.'],
      counts: { leaves: 23, rows: 6, withheld: 17 },
    });
    for (const first of [1, 3, 9, 14, 22, 23]) {
      const bundle = HONEST.bundle({ first, filter: { action: 'secret.revealed' } });
      expect((await judged(bundle)).problems).toEqual([]);
    }
  });

  test('shows nothing but what the filter lets through', async () => {
    const files = withLines(await filtered(), (lines) =>
      lines.map((line, leaf) => (leaf === 4 ? text(4) : line)),
    );
    expect(await firstOf(files)).toEqual(['filter_mismatch', '0-5', 4]);
  });

  test('has every bare hash as it was sealed', async () => {
    const files = withLines(await filtered(), (lines) => lines.with(2, 'e'.repeat(64)));
    expect(await firstOf(files)).toEqual(['broken_link', '0-4', 3]);
    expect((await judged(files)).problems.at(-1)?.code).toBe('root_mismatch');
    const last = withLines(await filtered(), (lines) => lines.with(13, 'e'.repeat(64)));
    expect(await firstOf(last)).toEqual(['root_mismatch', undefined, undefined]);
  });

  test('cannot pass for one without a filter', async () => {
    const files = await filtered();
    const bundle = JSON.parse(Buffer.from(files.get('bundle.json') ?? []).toString());
    const { filter: _, ...rest } = bundle;
    expect(await firstOf(new Map(files).set('bundle.json', json(rest)))).toEqual([
      'withheld_row',
      undefined,
      0,
    ]);
  });
});

describe('tampering with the leaves', () => {
  const cases: [string, (lines: string[]) => string[], string, string | undefined, number][] = [
    ['an edited row', (lines) => lines.with(3, change(3, 'curl', 'wget')), 'hash_mismatch', '0-4', 3],
    ['an edited time', (lines) => lines.with(3, change(3, 'T09:00', 'T11:00')), 'hash_mismatch', '0-4', 3],
    [
      'an edited link',
      (lines) => lines.with(3, change(3, /"prev":"..../, '"prev":"0000')),
      'hash_mismatch',
      '0-4',
      3,
    ],
    [
      'an edited number',
      (lines) => lines.with(3, change(3, '"seq":"4"', '"seq":"5"')),
      'wrong_place',
      '0-4',
      3,
    ],
    [
      'an edited lane',
      (lines) => lines.with(3, change(3, '"lane":"0"', '"lane":"1"')),
      'wrong_place',
      '0-4',
      3,
    ],
    [
      'an edited workspace',
      (lines) => lines.with(3, change(3, '"ws":"ws_1"', '"ws":"ws_2"')),
      'wrong_place',
      '0-4',
      3,
    ],
    ['a row that is no JSON', (lines) => lines.with(3, '{'), 'malformed', '0-4', 3],
    ['the last row of a lane that is no JSON', (lines) => lines.with(13, '{'), 'malformed', '1-4', 13],
    [
      'a row out of bounds',
      (lines) => lines.with(3, change(3, '"success"', '"maybe"')),
      'malformed',
      '0-4',
      3,
    ],
    ['a row with a space', (lines) => lines.with(3, change(3, '":"', '": "')), 'not_canonical', '0-4', 3],
    [
      'a row of another version',
      (lines) => lines.with(3, change(3, '"v":1', '"v":2')),
      'unknown_version',
      '0-4',
      3,
    ],
    ['a row taken out', (lines) => lines.toSpliced(3, 1), 'missing_row', '0-4', 3],
    ['a row doubled', (lines) => lines.toSpliced(3, 0, text(3)), 'wrong_place', '0-4', 4],
    ['two rows exchanged', (lines) => lines.with(3, text(4)).with(4, text(3)), 'missing_row', '0-4', 3],
    [
      'a row put in',
      (lines) => lines.toSpliced(4, 0, change(3, '"seq":"4"', '"seq":"5"')),
      'broken_link',
      '0-5',
      4,
    ],
    ['the end cut off', (lines) => lines.slice(0, -1), 'missing_row', undefined, 22],
    [
      'a lane taken out',
      (lines) => lines.filter((line) => !line.includes('"lane":"1","nonce"')),
      'missing_row',
      undefined,
      19,
    ],
    ['a bare hash', (lines) => lines.with(3, 'e'.repeat(64)), 'withheld_row', undefined, 3],
  ];
  test.each(cases)('%s is found', async (_, tamper, code, row, leaf) => {
    const files = withLines(await HONEST.bundle(), tamper);
    expect(await firstOf(files)).toEqual([code, row, leaf]);
    expect((await judged(files)).problems.map((problem) => problem.code)).toContain('root_mismatch');
  });

  test('the last row of a lane, edited: its manifest names its hash; without one, the seals still tell where it is not', async () => {
    const files = withLines(await HONEST.bundle(), (lines) => lines.with(22, change(22, 'curl', 'wget')));
    expect(await firstOf(files)).toEqual(['hash_mismatch', '2-7', 22]);
    for (const name of [...files.keys()]) if (name.startsWith('manifests/')) files.delete(name);
    const [problem] = (await judged(files)).problems;
    expect(problem?.code).toBe('root_mismatch');
    expect(problem?.message).toContain('The leaves below 18 are as they were sealed then.');
    expect(problem?.message).toContain('2-7');
  });

  test('the last row of a lane, edited, where a neighbour follows', async () => {
    const files = withLines(await HONEST.bundle({ end: 20 }), (lines) =>
      lines.with(17, change(17, 'curl', 'wget')),
    );
    expect(await firstOf(files)).toEqual(['hash_mismatch', '2-4', 17]);
  });

  test('everything rewritten with fresh hashes', async () => {
    const [first, ...others] = BURSTS;
    if (first === undefined) throw new Error('There are no bursts.');
    const rewritten = rowsOf([{ ...first, events: first.events.with(3, 'secret.read') }, ...others]);
    const files = withLines(await HONEST.bundle(), () =>
      rewritten.map(({ bytes }) => Buffer.from(bytes).toString()),
    );
    expect((await judged(files)).problems.map(({ code }) => code)).toContain('root_mismatch');
    const forged = await new TestLog(
      rewritten.map(({ bytes }) => bytes),
      FORGER,
    ).bundle();
    expect((await judged(forged)).problems[0]?.code).toBe('bad_signature');
    const kept = { keys: [KEY], checkpoint: HONEST.checkpoint() };
    const signed = await new TestLog(rewritten.map(({ bytes }) => bytes)).bundle();
    expect((await judged(signed)).verdict).toBe('valid');
    expect((await judged(signed, kept)).problems).toMatchObject([{ code: 'log_forked' }]);
  });
});

describe('the ends of lanes', () => {
  const MADE_FOR =
    'The bundle is made for rows from 2026-03-01T20:00:00.000Z, before 2026-03-02T00:00:00.000Z.';
  const day = { from: '2026-03-01T20:00:00.000Z', to: '2026-03-02T00:00:00.000Z' };

  test('are shown by the rows beside them', async () => {
    const { counts, remarks, verdict } = await judged(HONEST.bundle({ first: 9, end: 14, ...day }));
    expect({ verdict, remarks }).toEqual({
      verdict: 'valid',
      remarks: [MADE_FOR, 'Lane 1: it is not shown that nothing follows 1-4.'],
    });
    expect(counts['neighbours']).toBe(3);
  });

  test('are told of, where rows of the span are in no bundle, or nothing is shown', async () => {
    const files = await HONEST.bundle({ first: 10, end: 12, ...day });
    expect((await judged(files)).remarks).toEqual([
      MADE_FOR,
      'Lane 0 begins before this bundle: 0-7 lies in its span of time, too.',
      'Lane 0 goes on after this bundle: 0-10 lies in its span of time, too.',
    ]);
    files.delete('neighbours/0-before.tlog-proof');
    files.delete('neighbours/0-after.tlog-proof');
    expect((await judged(files)).remarks).toEqual([
      MADE_FOR,
      'Lane 0: it is not shown what comes before 0-8.',
      'Lane 0: it is not shown that nothing follows 0-9.',
    ]);
  });

  test('are not shown by other rows', async () => {
    const files = await HONEST.bundle({ first: 9, end: 14 });
    const wrong: [string, number, string][] = [
      ['neighbours/0-before.tlog-proof', 4, 'missing_row'],
      ['neighbours/0-before.tlog-proof', 6, 'wrong_place'],
      ['neighbours/0-before.tlog-proof', 18, 'wrong_place'],
      ['neighbours/0-after.tlog-proof', 19, 'missing_row'],
      ['neighbours/0-after.tlog-proof', 5, 'wrong_place'],
    ];
    for (const [name, leaf, code] of wrong) {
      const [found] = await firstOf(new Map(files).set(name, await HONEST.proof(leaf)));
      expect([name, leaf, found]).toEqual([name, leaf, code]);
    }
    const edited = Buffer.from(await HONEST.proof(5))
      .toString()
      .replace('index 5', 'index 4');
    const spoiled = new Map(files).set('neighbours/0-before.tlog-proof', Buffer.from(edited));
    expect((await judged(spoiled)).problems.map(({ code }) => code)).toContain('bad_proof');
  });
});

describe('a history that was sealed broken', () => {
  const broken = (tamper: (rows: Uint8Array[]) => Uint8Array[]) =>
    new TestLog(tamper(ROWS.map(({ bytes }) => bytes))).bundle();

  test.each<[string, (rows: Uint8Array[]) => Uint8Array[], string, string, number]>([
    ['an edited row', (rows) => rows.with(3, edit(3, 'curl', 'wget')), 'broken_link', '0-5', 4],
    ['a missing row', (rows) => rows.toSpliced(3, 1), 'missing_row', '0-4', 3],
    [
      'a row of another workspace',
      (rows) => rows.with(22, edit(22, '"ws_1"', '"ws_2"')),
      'wrong_place',
      '2-7',
      22,
    ],
    [
      'a row before its time',
      (rows) => rows.with(22, edit(22, 'T10:00', 'T07:00')),
      'time_reversed',
      '2-7',
      22,
    ],
  ])('%s', async (_, tamper, code, row, leaf) => {
    expect(await firstOf(broken(tamper))).toEqual([code, row, leaf]);
  });

  test('a lane that nothing opened', async () => {
    const unopened = BURSTS.map((burst) => ({
      ...burst,
      events: burst.events.map((event) =>
        typeof event === 'object' && event.opens === 2 ? 'secret.read' : event,
      ),
    }));
    const log = new TestLog(rowsOf(unopened).map(({ bytes }) => bytes));
    expect(await firstOf(log.bundle())).toEqual(['lane_not_opened', '2-1', 14]);
  });
});

function text(leaf: number): string {
  return Buffer.from(ROWS[leaf]?.bytes ?? []).toString('utf8');
}

function edit(leaf: number, from: string | RegExp, to: string): Uint8Array {
  return edited(ROWS[leaf]?.bytes ?? new Uint8Array(), from, to);
}

function change(leaf: number, from: string | RegExp, to: string): string {
  return Buffer.from(edit(leaf, from, to)).toString('utf8');
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { zipSync } from 'fflate';
import { unzip } from '../../verify/bundle.js';
import { edited, type Files, FORGER, HONEST, KEY, ROWS, TestLog, withLines } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockzero-verify-'));
const at = (name: string) => join(folder, name);

beforeAll(async () => {
  const bundle = await HONEST.bundle({ first: 9 });
  writeFileSync(at('bundle.zip'), zipped(bundle));
  const tampered = withLines(bundle, (lines) => lines.with(1, lines[1]?.replace('curl', 'wget') ?? ''));
  writeFileSync(at('tampered.zip'), zipped(tampered));
  writeFileSync(at('row.tlog-proof'), await HONEST.proof(3));
  writeFileSync(at('key'), `${KEY}\n`);
  writeFileSync(at('kept'), HONEST.checkpoint(9));
  writeFileSync(at('forked'), new TestLog(HONEST.entries.toReversed()).checkpoint(9));
  writeFileSync(at('forged.zip'), zipped(await new TestLog(HONEST.entries, FORGER).bundle()));
  for (const [name, bytes] of HONEST.archive()) {
    mkdirSync(dirname(at(`archive/${name}`)), { recursive: true });
    writeFileSync(at(`archive/${name}`), bytes);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

function zipped(files: Files): Uint8Array {
  return zipSync(Object.fromEntries(files));
}

/** The command as an auditor runs it: no transpiler, no other modules than its own. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [resolve('verify/bin.js'), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {},
  });
  return { status, lines: stdout.trimEnd().split('\n'), stderr };
}

test('a valid bundle', () => {
  expect(run('bundle.zip', '--key', KEY, '--checkpoint', 'kept')).toEqual({
    status: 0,
    stderr: '',
    lines: [
      'Log log.example/ws_1',
      '       14  leaves of the tree',
      '       14  rows read, each strictly and in its place',
      '        3  lanes',
      '        2  rows beside them, proven',
      '        2  earlier checkpoints',
      '        2  manifests of days',
      '        1  checkpoint that you kept, and the log grew from it',
      'Note: Lane 0 begins before this bundle: 0-6 lies in its span of time, too.',
      'Note: Lane 1 begins before this bundle: 1-3 lies in its span of time, too.',
      'valid',
    ],
  });
});

test('a valid archive, and a valid row', () => {
  expect(run('archive', '--key', 'key')).toMatchObject({ status: 0, stderr: '' });
  const row = run('--key', 'key', 'row.tlog-proof');
  expect(row).toMatchObject({ status: 0, stderr: '' });
  expect(row.lines).toContain('           0-4  2026-03-01T09:00:00.000Z  secret.revealed  success');
});

test('what is wrong, and where', () => {
  const { status, lines } = run('tampered.zip', '--key', KEY);
  expect(status).toBe(1);
  expect(lines.slice(-2)).toEqual([
    'NOT VALID: hash_mismatch at 0-8 (leaf 10)',
    'The row is not the one that was sealed: it was changed afterwards. Its hash is not the sealed one.',
  ]);
  expect(run('forged.zip', '--key', KEY)).toMatchObject({ status: 1 });
  expect(run('bundle.zip', '--key', KEY, '--checkpoint', 'forked').lines).toContain('NOT VALID: log_forked');
});

test('unsigned, and how to change that', () => {
  const { status, lines } = run('bundle.zip');
  expect(status).toBe(2);
  expect(lines).toContain('self-consistent but unsigned');
  expect(lines.join(' ')).toContain('GET /audit/checkpoint');
});

test('as JSON', () => {
  const { status, lines } = run('tampered.zip', '--json');
  expect(status).toBe(1);
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    verdict: 'not valid',
    problems: [{ code: 'hash_mismatch', lane: 0, seq: 8, leaf: 10 }, { code: 'root_mismatch' }],
  });
});

test('called wrongly', () => {
  const calls = [
    [],
    ['a', 'b'],
    ['--what', 'bundle.zip'],
    ['absent.zip'],
    ['bundle.zip', '--key', 'absent'],
    ['bundle.zip', '--key', 'kept'],
    ['bundle.zip', '--checkpoint', 'key'],
  ];
  for (const args of calls) {
    const { status, stderr } = run(...args);
    expect([args, status]).toEqual([args, 64]);
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('    at ');
  }
});

test('names that would steer a terminal are spelled out', async () => {
  const files = new Map(await HONEST.bundle()).set('\u001b[2J', Buffer.from(''));
  writeFileSync(at('steering.zip'), zipped(files));
  expect(run('steering.zip').lines.join('')).not.toContain('\u001b');
});

describe('zip files', () => {
  const honest = () => HONEST.bundle().then(zipped);
  const read = (bytes: Uint8Array) => unzip(Buffer.from(bytes));

  test('are read, packed or not', async () => {
    const files = await HONEST.bundle();
    for (const level of [0, 9] as const)
      expect(read(zipSync(Object.fromEntries(files), { level }))).toEqual(
        new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes)])),
      );
  });

  test.each(['../a', '/a', 'a/../b', 'a//b', './a', 'a\\b', '.a', 'a/.b', 'C:a', 'ä'])(
    'with a file %j are refused',
    (name) => {
      expect(() => read(zipSync({ [name]: Buffer.from('1') }))).toThrow('forbidden name');
    },
  );

  test('with two files of one name are refused', () => {
    const bytes = Buffer.from(zipSync({ aa: Buffer.from('1'), ab: Buffer.from('2') }));
    for (let place = bytes.indexOf('ab'); place !== -1; place = bytes.indexOf('ab')) bytes.write('aa', place);
    expect(() => read(bytes)).toThrow('two files with one name');
  });

  test('that unpack to more than they say, or more than 1 GiB, are refused', async () => {
    const bytes = Buffer.from(zipSync({ a: Buffer.alloc(1_000_000) }, { level: 9 }));
    const directory = bytes.indexOf(Buffer.from('504b0102', 'hex'));
    bytes.writeUInt32LE(10, directory + 24);
    expect(() => read(bytes)).toThrow('damaged');
    bytes.writeUInt32LE(2 ** 30 + 1, directory + 24);
    expect(() => read(bytes)).toThrow('more than 1 GiB');
  });

  test('that are cut, lengthened or altered are refused, or hold what they held', async () => {
    const bytes = Buffer.from(await honest());
    expect(() => read(bytes.subarray(0, -1))).toThrow('no zip file');
    expect(() => read(Buffer.concat([bytes, Buffer.of(0)]))).toThrow('no zip file');
    const files = read(bytes);
    for (let place = 0; place < bytes.length; place += 61) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(bytes.readUInt8(place) ^ 0x20, place);
      let result: Map<string, Buffer> | undefined;
      try {
        result = read(altered);
      } catch (error) {
        expect((error as Error).constructor.name).toBe('FormError');
      }
      // The name of a file is the one thing that no checksum covers: another name is an unknown file, or one is missing.
      const contents = [...(result?.values() ?? [])];
      if (result !== undefined) expect(contents).toEqual([...files.values()]);
    }
  });
});

test('a row with edited bytes in a proof', () => {
  const bytes = edited(ROWS[3]?.bytes ?? new Uint8Array(), 'curl', 'wget');
  const proof = `c2sp.org/tlog-proof@v1\nextra ${Buffer.from(bytes).toString('base64')}\nindex 3\n\n${Buffer.from(HONEST.checkpoint())}`;
  writeFileSync(at('edited.tlog-proof'), proof);
  expect(run('edited.tlog-proof', '--key', KEY)).toMatchObject({ status: 1 });
});

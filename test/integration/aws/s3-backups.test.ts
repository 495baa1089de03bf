import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3Backups } from '../../../aws/s3-backups.ts';
import { type BackupFiles, type DataFile, MAX_MANIFEST_BYTES } from '../../../core/backup/backup-files.ts';
import { MemoryBackups } from '../../support/memory-backups.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { S3Server } from '../stand-ins/s3-server.ts';
import { credentials } from '../stand-ins/serve-stand-ins.ts';

const Bucket = 'backups';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of source) found.push(each);
  return found;
}

const dataFile = (key: string, packed: Uint8Array, itemCount: number): DataFile => ({
  key,
  itemCount,
  md5: createHash('md5').update(packed).digest('base64'),
  etag: '',
});

/** One suite for both implementations, so that what other tests see in memory holds on S3. */
function describeBackups(
  get: () => {
    readonly files: BackupFiles;
    readonly put: (key: string, bytes: Uint8Array | string) => Promise<unknown>;
  },
): void {
  test('lists the folders and the files directly below a prefix', async () => {
    const { files, put } = get();
    for (const key of ['list/a', 'list/f/1', 'list/f/2', 'list/g/h/3', 'lists/b']) await put(key, 'xyz');
    expect((await collect(files.folders('list/'))).sort()).toEqual(['list/f/', 'list/g/']);
    const listed = await collect(files.files('list/f/'));
    expect(listed.map(({ key, size }) => [key, size]).sort()).toEqual([
      ['list/f/1', 3],
      ['list/f/2', 3],
    ]);
    expect(listed[0]?.etag).toMatch(/^[0-9a-f]{32}(-1)?$/);
    expect(await collect(files.folders('none/'))).toEqual([]);
    expect(await collect(files.files('none/'))).toEqual([]);
  });

  test('reads a file, an empty one, and none', async () => {
    const { files, put } = get();
    await put('read/full', 'text');
    await put('read/empty', '');
    expect(Buffer.from((await files.read('read/full')) ?? []).toString()).toBe('text');
    expect((await files.read('read/empty'))?.length).toBe(0);
    expect(await files.read('read/none')).toBeUndefined();
  });

  test('gives the lines of a data file, also of one without any', async () => {
    const { files, put } = get();
    const lines = Array.from({ length: 3_000 }, (_, index) => `{"Item":{"pk":{"S":"ü${index}"}}}`);
    const packed = gzipSync(`${lines.join('\n')}\n`);
    await put('lines/full.json.gz', packed);
    expect(await collect(files.lines(dataFile('lines/full.json.gz', packed, 3_000)))).toEqual(lines);
    for (const empty of [gzipSync(''), Buffer.alloc(0)]) {
      await put('lines/empty.json.gz', empty);
      expect(await collect(files.lines(dataFile('lines/empty.json.gz', empty, 0)))).toEqual([]);
    }
  });

  test('refuses a data file that is not there, is another one, or is no gzip', async () => {
    const { files, put } = get();
    const packed = gzipSync('{"Item":{}}\n');
    const lines = (file: DataFile) => collect(files.lines(file));
    await expect(lines(dataFile('lines/none', packed, 1))).rejects.toMatchObject({ reason: 'missing' });
    await put('lines/other', gzipSync('{"Item":{"a":{}}}\n'));
    await expect(lines(dataFile('lines/other', packed, 1))).rejects.toMatchObject({ reason: 'altered' });
    for (const broken of [Buffer.from('{"Item":{}}\n'), packed.subarray(0, packed.length - 9)]) {
      await put('lines/broken', broken);
      await expect(lines(dataFile('lines/broken', broken, 1))).rejects.toMatchObject({ reason: 'altered' });
    }
  });
}

describe('in memory', () => {
  const files = new MemoryBackups(new MemoryTables());
  describeBackups(() => ({ files, put: async (key, bytes) => files.put(key, bytes) }));
});

describe('on S3', () => {
  const s3 = new S3Server();
  beforeAll(async () => {
    await s3.start();
    await s3.client.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(async () => {
    await s3.stop();
    s3.removeFolder();
  });
  const put = (Key: string, Body: Uint8Array | string) =>
    s3.client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.from(Body) }));
  describeBackups(() => ({ files: createS3Backups(Bucket, s3.client), put }));

  test('a listing has all its pages', async () => {
    const send = (command: { readonly input: object }) => {
      Object.assign(command.input, { MaxKeys: 2 });
      return s3.client.send(command as never);
    };
    for (let index = 0; index < 5; index += 1) {
      await put(`pages/${index}`, 'x');
      await put(`pages/f${index}/x`, 'x');
    }
    const files = createS3Backups(Bucket, { send } as never);
    expect(await collect(files.folders('pages/'))).toHaveLength(5);
    expect(await collect(files.files('pages/'))).toHaveLength(5);
  });

  test('stops reading a data file when nobody wants more of it', async () => {
    const packed = gzipSync(Buffer.alloc(2_000_000, '{"Item":{}}\n'), { level: 0 });
    await put('lines/long', packed);
    const files = createS3Backups(Bucket, s3.client);
    for await (const line of files.lines(dataFile('lines/long', packed, 1))) {
      expect(line).toBe('{"Item":{}}');
      break;
    }
  });

  test('a manifest beyond all measure is not read', async () => {
    await put('large', Buffer.alloc(MAX_MANIFEST_BYTES + 1));
    await expect(createS3Backups(Bucket, s3.client).read('large')).rejects.toMatchObject({
      name: 'BackupFault',
      reason: 'malformed',
    });
  });

  test('is unavailable where nobody answers, and where access is denied', async () => {
    const nobody = new S3Client({
      region: 'us-east-1',
      credentials,
      endpoint: 'http://127.0.0.1:1',
      maxAttempts: 1,
    });
    for (const files of [createS3Backups(Bucket, nobody), createS3Backups('no-such-bucket', s3.client)]) {
      await expect(files.read('x')).rejects.toMatchObject({ code: 'unavailable' });
      await expect(collect(files.folders(''))).rejects.toMatchObject({ code: 'unavailable' });
      await expect(collect(files.lines(dataFile('x', Buffer.alloc(0), 0)))).rejects.toMatchObject({
        code: 'unavailable',
      });
    }
    nobody.destroy();
  });
});

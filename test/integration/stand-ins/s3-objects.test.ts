import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { S3Server } from './s3-server.ts';

const s3 = new S3Server();
const Bucket = 'plain';
const versioned = 'versioned';

beforeAll(async () => {
  await s3.start();
  await s3.client.send(new CreateBucketCommand({ Bucket }));
  await s3.client.send(new CreateBucketCommand({ Bucket: versioned }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await s3.client.send(new PutBucketVersioningCommand({ Bucket: versioned, VersioningConfiguration }));
});
afterAll(async () => {
  await s3.stop();
  s3.removeFolder();
});

async function read(bucket: string, Key: string, VersionId?: string): Promise<string> {
  const answer = await s3.client.send(
    new GetObjectCommand({ Bucket: bucket, Key, ...(VersionId && { VersionId }) }),
  );
  return answer.Body?.transformToString() ?? '';
}

async function keysOf(bucket: string): Promise<string[]> {
  const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }));
  return Contents.map(({ Key = '' }) => Key);
}

describe('buckets', () => {
  test('exist once, are listed and tell their versioning', async () => {
    const again = s3.client.send(new CreateBucketCommand({ Bucket }));
    await expect(again).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' });
    const { Buckets } = await s3.client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket, versioned]);
    expect(await s3.client.send(new GetBucketVersioningCommand({ Bucket: versioned }))).toMatchObject({
      Status: 'Enabled',
    });
    expect((await s3.client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  });

  test('that do not exist are told', async () => {
    const head = s3.client.send(new HeadBucketCommand({ Bucket: 'nowhere' }));
    await expect(head).rejects.toMatchObject({ name: 'NotFound' });
    await expect(s3.put('nowhere', 'k')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test.each(['..', 'x/../y', 'Upper', 'a', 'a..b'])('cannot be named %s', async (name) => {
    const { hostname, port, pathname } = new URL(s3.url);
    // Neither fetch nor the SDK would send these names as they are.
    const path = `${pathname}/${encodeURIComponent(name)}`;
    const creation = request({ method: 'PUT', hostname, port, path }).end();
    const [answer] = (await once(creation, 'response')) as [IncomingMessage];
    expect(await text(answer)).toContain('<Code>InvalidBucketName</Code>');
  });
});

describe('objects', () => {
  test('keep content type, metadata and checksum', async () => {
    const ChecksumSHA256 = createHash('sha256').update('body').digest('base64');
    const put = await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'meta',
        Body: 'body',
        ContentType: 'application/json',
        Metadata: { lane: '0' },
        ChecksumSHA256,
      }),
    );
    expect(put).toMatchObject({
      ChecksumSHA256,
      ETag: `"${createHash('md5').update('body').digest('hex')}"`,
    });
    const head = await s3.client.send(
      new HeadObjectCommand({ Bucket, Key: 'meta', ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({
      ContentType: 'application/json',
      ContentLength: 4,
      ETag: put.ETag,
      LastModified: new Date(s3.now),
      Metadata: { lane: '0' },
      ChecksumSHA256,
    });
    expect(await read(Bucket, 'meta')).toBe('body');
  });

  test('arrive whole from a stream, with their checksum in a trailer', async () => {
    const data = Buffer.alloc(200_000, 'audit ');
    const Body = Readable.from([data.subarray(0, 70_000), data.subarray(70_000)]);
    const put = await s3.client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'stream',
        Body,
        ContentLength: data.length,
        ContentEncoding: 'gzip',
      }),
    );
    expect(put.ChecksumCRC32).toMatch(/^[A-Za-z0-9+/]{6}==$/);
    const answer = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'stream' }));
    expect(Buffer.from((await answer.Body?.transformToByteArray()) ?? []).equals(data)).toBe(true);
    expect(answer).toMatchObject({ ContentEncoding: 'gzip', ChecksumCRC32: put.ChecksumCRC32 });
  });

  test.each([
    ['SHA-256', { ChecksumSHA256: createHash('sha256').update('other').digest('base64') }],
    ['CRC-32', { ChecksumCRC32: 'AAAAAA==' }],
    ['MD5', { ContentMD5: createHash('md5').update('other').digest('base64') }],
  ])('with a wrong %s are refused and not stored', async (_, checksum) => {
    const put = new PutObjectCommand({ Bucket, Key: 'corrupt', Body: 'body', ...checksum });
    await expect(s3.client.send(put)).rejects.toMatchObject({ name: 'BadDigest' });
    await expect(read(Bucket, 'corrupt')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test.each([
    ['cut', '5\r\nhel'],
    ['shorter than declared', '3\r\nhel\r\n0\r\n\r\n'],
    ['without chunks', 'hello'],
  ])('in an aws-chunked body that is %s are refused', async (_, body) => {
    const headers = { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': '5' };
    const answer = await fetch(`${s3.url}/${Bucket}/cut`, { method: 'PUT', headers, body });
    expect(await answer.text()).toContain('<Code>IncompleteBody</Code>');
    await expect(read(Bucket, 'cut')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('are created once with If-None-Match, however many try', async () => {
    const put = (Body: string) =>
      s3.client.send(new PutObjectCommand({ Bucket: versioned, Key: 'once', Body, IfNoneMatch: '*' }));
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map(put));
    const failures = results.filter((result) => result.status === 'rejected');
    expect(failures.map(({ reason }) => reason.name)).toEqual(Array(3).fill('PreconditionFailed'));
    await s3.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'once' }));
    await put('after the delete marker');
    expect(await read(versioned, 'once')).toBe('after the delete marker');
  });

  test('are replaced with If-Match only as long as nobody else did', async () => {
    const put = (IfMatch: string, Body: string) =>
      s3.client.send(new PutObjectCommand({ Bucket: versioned, Key: 'swapped', Body, IfMatch }));
    await expect(put('"any"', 'a')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await s3.put(versioned, 'swapped', 'one');
    const { ETag: etag = '' } = await s3.client.send(
      new HeadObjectCommand({ Bucket: versioned, Key: 'swapped' }),
    );
    const results = await Promise.allSettled(['two', 'three'].map((body) => put(etag, body)));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(put(etag, 'four')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await s3.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'swapped' }));
    await expect(put(etag, 'behind the delete marker')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('are not put under two conditions that contradict each other', async () => {
    const put = { Bucket, Key: 'both', Body: 'x', IfMatch: '"a"', IfNoneMatch: '*' };
    await expect(s3.client.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: 'NotImplemented' });
  });

  test('may have any key, and no key leaves the folder', async () => {
    const before = readdirSync(`${s3.folder}/..`);
    const Keys = [
      'a/b',
      '../../../escape',
      '..',
      '.',
      '/lead',
      'sp ace',
      'plus+',
      'per%cent',
      'ü😀',
      'a\tb<&>"',
      '__proto__',
    ];
    for (const Key of Keys) {
      await s3.put('versioned', Key, Key);
      expect(await read(versioned, Key)).toBe(Key);
    }
    expect(await keysOf(versioned)).toEqual(expect.arrayContaining(Keys));
    expect(readdirSync(`${s3.folder}/..`)).toEqual(before);
    expect(readdirSync(s3.folder).sort()).toEqual([Bucket, versioned]);
  });

  test('with a key of more than 1,024 bytes are refused', async () => {
    await s3.put(Bucket, 'k'.repeat(1024));
    await expect(s3.put(Bucket, 'ü'.repeat(513))).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  test('are replaced and removed in a bucket without versioning', async () => {
    expect(await s3.put(Bucket, 'plain', 'one')).toBe('null');
    await s3.put(Bucket, 'plain', 'two');
    expect(await read(Bucket, 'plain')).toBe('two');
    const { DeleteMarker } = await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'plain' }));
    expect(DeleteMarker).toBeUndefined();
    await expect(read(Bucket, 'plain')).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  test('are not copied or written in parts: such requests are refused, not taken for puts', async () => {
    const copy = await fetch(`${s3.url}/${Bucket}/copy`, {
      method: 'PUT',
      headers: { 'x-amz-copy-source': '/plain/meta' },
    });
    const part = await fetch(`${s3.url}/${Bucket}/part?partNumber=1&uploadId=x`, {
      method: 'PUT',
      body: 'x',
    });
    expect([copy.status, part.status]).toEqual([501, 501]);
  });
});

describe('versions', () => {
  test('stay readable by id, below a delete marker too', async () => {
    const [first, second] = [await s3.put(versioned, 'v', 'one'), await s3.put(versioned, 'v', 'two')];
    const deleted = await s3.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'v' }));
    expect(deleted.DeleteMarker).toBe(true);
    await expect(read(versioned, 'v')).rejects.toMatchObject({ name: 'NoSuchKey' });
    expect([await read(versioned, 'v', first), await read(versioned, 'v', second)]).toEqual(['one', 'two']);
    const marker = read(versioned, 'v', deleted.VersionId);
    await expect(marker).rejects.toMatchObject({ name: 'MethodNotAllowed' });
    await expect(read(versioned, 'v', 'nonsense')).rejects.toMatchObject({ name: 'NoSuchVersion' });

    const VersionId = deleted.VersionId;
    const undone = await s3.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'v', VersionId }));
    expect(undone).toMatchObject({ DeleteMarker: true, VersionId });
    expect(await read(versioned, 'v')).toBe('two');
    await s3.client.send(new DeleteObjectCommand({ Bucket: versioned, Key: 'v', VersionId: second }));
    expect(await read(versioned, 'v')).toBe('one');
  });

  test('are listed newest first, page by page, with delete markers', async () => {
    const bucket = 'history';
    await s3.createLockedBucket(bucket);
    const ids = [await s3.put(bucket, 'a'), await s3.put(bucket, 'a'), await s3.put(bucket, 'b')];
    await s3.client.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a' }));
    const seen: [string | undefined, string | undefined, boolean | undefined][] = [];
    let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let more = true; more; ) {
      const page = await s3.client.send(
        new ListObjectVersionsCommand({ Bucket: bucket, MaxKeys: 1, ...markers }),
      );
      for (const { Key, VersionId, IsLatest } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
        seen.push([Key, VersionId, IsLatest]);
      }
      markers = { KeyMarker: page.NextKeyMarker ?? '', VersionIdMarker: page.NextVersionIdMarker ?? '' };
      more = page.IsTruncated ?? false;
    }
    expect(seen).toEqual([
      ['a', expect.any(String), true],
      ['a', ids[1], false],
      ['a', ids[0], false],
      ['b', ids[2], true],
    ]);
    expect(await keysOf(bucket)).toEqual(['b']);
  });
});

describe('listings', () => {
  const bucket = 'listed';
  const keys = ['1', 'd/1', 'd/2', 'e/1', 'f', 'ﬀ', '😀'];
  const list = (options: object) => s3.client.send(new ListObjectsV2Command({ Bucket: bucket, ...options }));

  beforeAll(async () => {
    await s3.client.send(new CreateBucketCommand({ Bucket: bucket }));
    for (const key of keys.toReversed()) await s3.put(bucket, key);
  });

  test('are in the order of UTF-8 bytes, whatever the size of the page', async () => {
    for (const MaxKeys of [1, 2, 7]) {
      const seen: string[] = [];
      for (let token: string | undefined, more = true; more; ) {
        const page = await list({ MaxKeys, ...(token && { ContinuationToken: token }) });
        seen.push(...(page.Contents ?? []).map(({ Key = '' }) => Key));
        token = page.NextContinuationToken;
        more = page.IsTruncated ?? false;
      }
      expect(seen).toEqual(keys);
    }
  });

  test('fold by delimiter and begin where asked', async () => {
    const folded = await list({ Delimiter: '/', MaxKeys: 2 });
    expect(folded.Contents?.map(({ Key }) => Key)).toEqual(['1']);
    expect(folded.CommonPrefixes).toEqual([{ Prefix: 'd/' }]);
    const rest = await list({ Delimiter: '/', ContinuationToken: folded.NextContinuationToken });
    expect(rest.CommonPrefixes).toEqual([{ Prefix: 'e/' }]);
    expect((await list({ Prefix: 'd/' })).Contents?.map(({ Key }) => Key)).toEqual(['d/1', 'd/2']);
    expect((await list({ StartAfter: 'e/1' })).Contents?.map(({ Key }) => Key)).toEqual(['f', 'ﬀ', '😀']);
    expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });
});

test('many objects are deleted at once', async () => {
  await s3.put(Bucket, 'many/1');
  await s3.put(Bucket, 'many/<2>');
  const Objects = [{ Key: 'many/1' }, { Key: 'many/<2>' }];
  const { Deleted } = await s3.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect(Deleted).toEqual(Objects);
  expect(await keysOf(Bucket)).not.toContain('many/1');
});

test('a restart keeps buckets, versions, their order and their data', async () => {
  const ids = [await s3.put(versioned, 'kept', 'one'), await s3.put(versioned, 'kept', 'two')];
  await s3.put(Bucket, 'replaced', 'one');
  const versions = new ListObjectVersionsCommand({ Bucket: versioned });
  const before = await s3.client.send(versions);
  await s3.restart();
  const after = await s3.client.send(versions);
  expect(after.Versions).toEqual(before.Versions);
  expect(after.DeleteMarkers).toEqual(before.DeleteMarkers);
  expect([await read(versioned, 'kept'), await read(versioned, 'kept', ids[0])]).toEqual(['two', 'one']);
  await s3.put(versioned, 'kept', 'three');
  expect(await read(versioned, 'kept')).toBe('three');
  await s3.put(Bucket, 'replaced', 'two');
  expect(await read(Bucket, 'replaced')).toBe('two');
});

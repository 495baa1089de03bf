import { DeleteObjectCommand, PutObjectLockConfigurationCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3Archive, createS3Staging } from '../../../aws/s3-archive.ts';
import type { ObjectArchive, StagingArea } from '../../../core/archive/object-archive.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { FakeClock } from '../../support/clock.ts';
import { MemoryArchive } from '../../support/memory-archive.ts';
import { MemoryTables } from '../../support/memory-ledger.ts';
import { S3Server } from '../stand-ins/s3-server.ts';
import { credentials, serveStandIns } from '../stand-ins/serve-stand-ins.ts';

const Bucket = 'archive';
const bytes = (text: string) => Buffer.from(text);
const text = (found: { readonly bytes: Uint8Array } | undefined) =>
  found && Buffer.from(found.bytes).toString('utf8');

/** One suite for both implementations, so that what other tests see in memory holds on S3. */
function describeArchive(
  get: () => {
    readonly archive: ObjectArchive;
    readonly staging: StagingArea;
    readonly now: number;
    /** Puts a delete marker on a key. */
    readonly hide: (key: string) => Promise<unknown>;
  },
): void {
  let keys = 0;
  const freshKey = () => {
    keys += 1;
    return `log/ws/${keys}`;
  };

  test('an object is created once, and read as it was written', async () => {
    const { archive } = get();
    const key = freshKey();
    expect(await archive.read(key)).toBeUndefined();
    const created = await archive.create(key, bytes('one'));
    expect(created).toEqual({ status: 'created', versionId: expect.any(String) });
    expect(await archive.create(key, bytes('two'))).toEqual({ status: 'exists' });
    const found = await archive.read(key);
    expect(text(found)).toBe('one');
    expect(found).toMatchObject({ ...('versionId' in created ? { versionId: created.versionId } : {}) });
  });

  test('one of several creators succeeds', async () => {
    const { archive } = get();
    const key = freshKey();
    const outcomes = await Promise.all(['a', 'b', 'c'].map((each) => archive.create(key, bytes(each))));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['created', 'exists', 'exists']);
  });

  test('an object is replaced only as long as it is the one that was seen; every version stays readable', async () => {
    const { archive } = get();
    const key = freshKey();
    expect(await archive.replace(key, bytes('x'), '"none"')).toEqual({ status: 'changed' });
    await archive.create(key, bytes('one'));
    const one = await archive.read(key);
    const outcomes = await Promise.all(
      ['two', 'three'].map((each) => archive.replace(key, bytes(each), one?.etag ?? '')),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['changed', 'replaced']);
    expect(await archive.replace(key, bytes('four'), one?.etag ?? '')).toEqual({ status: 'changed' });
    expect(['two', 'three']).toContain(text(await archive.read(key)));
    expect(text(await archive.read(key, one?.versionId))).toBe('one');
    expect(await archive.read(key, 'no-such-version')).toBeUndefined();
  });

  test('a delete marker hides the object, and the name can be created again', async () => {
    const { archive, hide } = get();
    const key = freshKey();
    await archive.create(key, bytes('one'));
    const one = await archive.read(key);
    await hide(key);
    expect(await archive.read(key)).toBeUndefined();
    expect(text(await archive.read(key, one?.versionId))).toBe('one');
    expect(await archive.replace(key, bytes('two'), one?.etag ?? '')).toEqual({ status: 'changed' });
    expect(await archive.create(key, bytes('two'))).toMatchObject({ status: 'created' });
  });

  test("every version is locked by the bucket's default retention", async () => {
    const { archive, now } = get();
    const key = freshKey();
    await archive.create(key, bytes('one'));
    const { versionId = '', etag = '' } = (await archive.read(key)) ?? {};
    await archive.replace(key, bytes('two'), etag);
    const next = (await archive.read(key))?.versionId ?? '';
    for (const version of [versionId, next]) {
      expect(await archive.lock(key, version)).toEqual({
        mode: 'COMPLIANCE',
        retainUntil: now + 10 * DAY_MS,
      });
    }
    expect(await archive.lock(key, 'no-such-version')).toBeUndefined();
    expect(await archive.lock(freshKey(), versionId)).toBeUndefined();
  });

  test('keys are listed in order, page by page, after the one given', async () => {
    const { archive } = get();
    const names = Array.from({ length: 12 }, (_, index) => `list/${String(index).padStart(2, '0')}`);
    for (const name of names.toReversed()) await archive.create(name, bytes(name));
    await archive.create('list2/other', bytes('x'));
    const listed = async (startAfter?: string) => {
      const found: string[] = [];
      for await (const page of archive.list('list/', startAfter)) found.push(...page);
      return found;
    };
    expect(await listed()).toEqual(names);
    expect(await listed('list/09')).toEqual(['list/10', 'list/11']);
    expect(await listed('list/zz')).toEqual([]);
    // Where listing starts need not exist.
    expect(await listed('list/095')).toEqual(['list/10', 'list/11']);
  });

  test('what is staged is overwritten at will', async () => {
    const { staging } = get();
    expect(await staging.read('ws/1-a')).toBeUndefined();
    await staging.put('ws/1-a', bytes('one'));
    await staging.put('ws/1-a', bytes('two'));
    expect(Buffer.from((await staging.read('ws/1-a')) ?? []).toString('utf8')).toBe('two');
  });

  test('bytes of any kind and length are kept', async () => {
    const { archive } = get();
    for (const content of [Buffer.alloc(0), Buffer.alloc(300_000, 0xfe)]) {
      const key = freshKey();
      await archive.create(key, content);
      expect(Buffer.compare((await archive.read(key))?.bytes ?? Buffer.from('x'), content)).toBe(0);
    }
  });
}

describe('in memory', () => {
  const clock = new FakeClock();
  const archive = new MemoryArchive(new MemoryTables(), clock);
  archive.retention = { mode: 'COMPLIANCE', days: 10 };
  const { staging } = archive;
  describeArchive(() => ({ archive, staging, now: clock.now(), hide: async (key) => archive.hide(key) }));
});

describe('on S3', () => {
  const s3 = new S3Server();
  beforeAll(async () => {
    await s3.start();
    await s3.createLockedBucket(Bucket);
    await s3.createLockedBucket('unlocked');
    const ObjectLockConfiguration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 10 } },
    } as const;
    await s3.client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
  });
  afterAll(async () => {
    await s3.stop();
    s3.removeFolder();
  });

  describeArchive(() => ({
    archive: createS3Archive(Bucket, s3.client),
    staging: createS3Staging('unlocked', s3.client),
    now: s3.now,
    hide: (Key) => s3.client.send(new DeleteObjectCommand({ Bucket, Key })),
  }));

  test('an object that is not locked has no lock', async () => {
    const archive = createS3Archive('unlocked', s3.client);
    const created = await archive.create('free', bytes('x'));
    expect(await archive.lock('free', 'versionId' in created ? created.versionId : '')).toBeUndefined();
  });

  test('every call fails as unavailable when the bucket is not there', async () => {
    await expectUnavailable(createS3Archive('nowhere', s3.client), createS3Staging('nowhere', s3.client));
  });
});

test.each([
  [409, 'ConditionalRequestConflict'],
  [403, 'AccessDenied'],
  [503, 'SlowDown'],
  [500, 'InternalError'],
])('whatever S3 answers with %i %s, nobody takes for an outcome', async (status, code) => {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
  const headers = { 'content-type': 'application/xml' };
  const { url, close } = await serveStandIns({ '/_aws/s3': async () => ({ status, headers, body }) });
  const client = new S3Client({
    region: 'us-east-1',
    credentials,
    endpoint: `${url}/_aws/s3`,
    forcePathStyle: true,
    maxAttempts: 1,
  });
  try {
    await expectUnavailable(createS3Archive(Bucket, client), createS3Staging(Bucket, client));
  } finally {
    client.destroy();
    await close();
  }
});

async function expectUnavailable(archive: ObjectArchive, staging: StagingArea): Promise<void> {
  const list = async () => {
    for await (const _ of archive.list('a')) return;
  };
  const calls = [
    archive.create('k', bytes('x')),
    archive.replace('k', bytes('x'), '"e"'),
    archive.read('k'),
    archive.read('k', 'v'),
    archive.lock('k', 'v'),
    list(),
    staging.put('k', bytes('x')),
    staging.read('k'),
  ];
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
  }
}

import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  type ObjectLockRetentionMode,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { S3Server } from './s3-server.ts';

const DAY_MS = 86_400_000;
const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
const s3 = new S3Server();
const Bucket = 'archive';

beforeAll(async () => {
  await s3.start();
  await s3.createLockedBucket(Bucket);
  await s3.client.send(new CreateBucketCommand({ Bucket: 'unlocked' }));
});
afterAll(async () => {
  await s3.stop();
  s3.removeFolder();
});

const inDays = (days: number) => new Date(s3.now + days * DAY_MS);

async function putLocked(Key: string, mode: ObjectLockRetentionMode, days: number): Promise<string> {
  const put = { Bucket, Key, Body: 'rows', ObjectLockMode: mode, ObjectLockRetainUntilDate: inDays(days) };
  return (await s3.client.send(new PutObjectCommand(put))).VersionId ?? '';
}

function remove(Key: string, VersionId: string, BypassGovernanceRetention = false) {
  return s3.client.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
}

function retain(
  Key: string,
  VersionId: string,
  retention: { Mode: ObjectLockRetentionMode; RetainUntilDate: Date } | undefined,
  BypassGovernanceRetention = false,
) {
  const request = { Bucket, Key, VersionId, Retention: retention ?? {}, BypassGovernanceRetention };
  return s3.client.send(new PutObjectRetentionCommand(request));
}

async function retentionOf(Key: string, VersionId: string) {
  const { Retention } = await s3.client.send(new GetObjectRetentionCommand({ Bucket, Key, VersionId }));
  return Retention;
}

test('COMPLIANCE: nobody deletes, shortens, removes or loosens it', async () => {
  const id = await putLocked('c', 'COMPLIANCE', 10);
  for (const bypass of [false, true]) {
    await expect(remove('c', id, bypass)).rejects.toMatchObject(denied);
    const shorter = { Mode: 'COMPLIANCE', RetainUntilDate: inDays(9) } as const;
    await expect(retain('c', id, shorter, bypass)).rejects.toMatchObject(denied);
    const past = { Mode: 'COMPLIANCE', RetainUntilDate: inDays(-1) } as const;
    await expect(retain('c', id, past, bypass)).rejects.toMatchObject(denied);
    const looser = { Mode: 'GOVERNANCE', RetainUntilDate: inDays(20) } as const;
    await expect(retain('c', id, looser, bypass)).rejects.toMatchObject(denied);
    await expect(retain('c', id, undefined, bypass)).rejects.toMatchObject(denied);
  }
  expect(await retentionOf('c', id)).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: inDays(10) });
});

test('GOVERNANCE: the same, but for who bypasses it', async () => {
  const id = await putLocked('g', 'GOVERNANCE', 10);
  const shorter = { Mode: 'GOVERNANCE', RetainUntilDate: inDays(5) } as const;
  await expect(remove('g', id)).rejects.toMatchObject(denied);
  await expect(retain('g', id, shorter)).rejects.toMatchObject(denied);
  await expect(retain('g', id, undefined)).rejects.toMatchObject(denied);
  await retain('g', id, shorter, true);
  expect(await retentionOf('g', id)).toEqual(shorter);
  await remove('g', id, true);
  const read = s3.client.send(new GetObjectCommand({ Bucket, Key: 'g', VersionId: id }));
  await expect(read).rejects.toMatchObject({ name: 'NoSuchVersion' });
});

test.each(['COMPLIANCE', 'GOVERNANCE'] as const)('%s may be lengthened by anyone', async (Mode) => {
  const id = await putLocked('longer', Mode, 10);
  const longer = { Mode, RetainUntilDate: inDays(20) };
  await retain('longer', id, longer);
  expect(await retentionOf('longer', id)).toEqual(longer);
  await expect(remove('longer', id)).rejects.toMatchObject(denied);
});

test('a retention that has ended protects no longer', async () => {
  const id = await putLocked('ended', 'COMPLIANCE', 10);
  s3.now += 10 * DAY_MS - 1;
  await expect(remove('ended', id)).rejects.toMatchObject(denied);
  s3.now += 1;
  await remove('ended', id);
});

test('a legal hold outlasts every bypass, until it is lifted', async () => {
  const VersionId = await s3.put(Bucket, 'held');
  const target = { Bucket, Key: 'held', VersionId };
  const before = s3.client.send(new GetObjectLegalHoldCommand(target));
  await expect(before).rejects.toMatchObject({ name: 'NoSuchObjectLockConfiguration' });
  await s3.client.send(new PutObjectLegalHoldCommand({ ...target, LegalHold: { Status: 'ON' } }));
  expect((await s3.client.send(new GetObjectLegalHoldCommand(target))).LegalHold).toEqual({ Status: 'ON' });
  await expect(remove('held', VersionId, true)).rejects.toMatchObject(denied);
  await s3.client.send(new PutObjectLegalHoldCommand({ ...target, LegalHold: { Status: 'OFF' } }));
  await remove('held', VersionId);
});

test('a delete without a version id hides the object and leaves what is locked', async () => {
  const VersionId = await putLocked('hidden', 'COMPLIANCE', 10);
  const { VersionId: marker } = await s3.client.send(new DeleteObjectCommand({ Bucket, Key: 'hidden' }));
  const read = await s3.client.send(new GetObjectCommand({ Bucket, Key: 'hidden', VersionId }));
  expect(await read.Body?.transformToString()).toBe('rows');
  await expect(retain('hidden', marker ?? '', undefined)).rejects.toMatchObject({ name: 'MethodNotAllowed' });
});

test('deleting many at once spares what is locked and says so', async () => {
  const locked = await putLocked('many', 'COMPLIANCE', 10);
  const open = await s3.put(Bucket, 'many');
  const Objects = [locked, open].map((VersionId) => ({ Key: 'many', VersionId }));
  const answer = await s3.client.send(
    new DeleteObjectsCommand({ Bucket, Delete: { Objects }, BypassGovernanceRetention: true }),
  );
  expect(answer.Deleted).toEqual([{ Key: 'many', VersionId: open }]);
  expect(answer.Errors).toMatchObject([{ Key: 'many', VersionId: locked, Code: 'AccessDenied' }]);
});

test('the lock shows in the headers of the object', async () => {
  const VersionId = await putLocked('shown', 'GOVERNANCE', 10);
  const head = await s3.client.send(new HeadObjectCommand({ Bucket, Key: 'shown', VersionId }));
  expect(head).toMatchObject({ ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: inDays(10) });
});

test('a retention needs a date in the future, and both of its parts', async () => {
  const past = putLocked('bad', 'COMPLIANCE', -1);
  await expect(past).rejects.toMatchObject({ name: 'InvalidArgument' });
  const half = new PutObjectCommand({ Bucket, Key: 'bad', Body: 'x', ObjectLockMode: 'COMPLIANCE' });
  await expect(s3.client.send(half)).rejects.toMatchObject({ name: 'InvalidArgument' });
  const id = await s3.put(Bucket, 'bad');
  const ended = retain('bad', id, { Mode: 'COMPLIANCE', RetainUntilDate: inDays(-1) });
  await expect(ended).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(retentionOf('bad', id)).rejects.toMatchObject({ name: 'NoSuchObjectLockConfiguration' });
});

test('the default retention of a bucket locks each new version', async () => {
  const bucket = 'defaults';
  await s3.createLockedBucket(bucket);
  const none = await s3.client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }));
  expect(none.ObjectLockConfiguration).toEqual({ ObjectLockEnabled: 'Enabled' });
  const configure = (DefaultRetention: { Mode: ObjectLockRetentionMode; Days?: number; Years?: number }) => {
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } } as const;
    return s3.client.send(new PutObjectLockConfigurationCommand({ Bucket: bucket, ObjectLockConfiguration }));
  };
  const both = configure({ Mode: 'COMPLIANCE', Days: 1, Years: 1 });
  await expect(both).rejects.toMatchObject({ name: 'MalformedXML' });
  await configure({ Mode: 'COMPLIANCE', Years: 7 });
  await s3.restart();

  const { ObjectLockConfiguration } = await s3.client.send(
    new GetObjectLockConfigurationCommand({ Bucket: bucket }),
  );
  expect(ObjectLockConfiguration?.Rule).toEqual({ DefaultRetention: { Mode: 'COMPLIANCE', Years: 7 } });
  const VersionId = await s3.put(bucket, 'k');
  const deletion = new DeleteObjectCommand({ Bucket: bucket, Key: 'k', VersionId });
  await expect(s3.client.send(deletion)).rejects.toMatchObject(denied);
  const { Retention } = await s3.client.send(new GetObjectRetentionCommand({ Bucket: bucket, Key: 'k' }));
  expect(Retention).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: inDays(7 * 365) });
});

test('a locked bucket keeps its versioning, and locks survive a restart', async () => {
  expect((await s3.client.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe('Enabled');
  const VersioningConfiguration = { Status: 'Suspended' } as const;
  const suspend = s3.client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  await expect(suspend).rejects.toMatchObject({ name: 'InvalidBucketState' });
  const id = await putLocked('restart', 'COMPLIANCE', 10);
  await s3.restart();
  await expect(remove('restart', id, true)).rejects.toMatchObject(denied);
});

test('a bucket without Object Lock says so, and takes no lock', async () => {
  const unlocked = { Bucket: 'unlocked', Key: 'k' };
  const put = { ...unlocked, Body: 'x', ObjectLockLegalHoldStatus: 'ON' } as const;
  await expect(s3.client.send(new PutObjectCommand(put))).rejects.toMatchObject({ name: 'InvalidRequest' });
  await s3.put('unlocked', 'k');
  const retention = s3.client.send(new GetObjectRetentionCommand(unlocked));
  await expect(retention).rejects.toMatchObject({ name: 'InvalidRequest' });
  const configuration = s3.client.send(new GetObjectLockConfigurationCommand({ Bucket: 'unlocked' }));
  await expect(configuration).rejects.toMatchObject({ name: 'ObjectLockConfigurationNotFoundError' });
  const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled' } as const;
  const enable = new PutObjectLockConfigurationCommand({ Bucket: 'unlocked', ObjectLockConfiguration });
  await expect(s3.client.send(enable)).rejects.toMatchObject({ name: 'InvalidBucketState' });
});

import {
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import type { ArchivedObject, ObjectArchive, StagingArea } from '../core/archive/object-archive.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG, errorName } from './clients.ts';

/** Parts of an archive have up to 64 MiB: they take longer than the small answers of other services. */
const REQUEST_TIMEOUT_MS = 20_000;

/** Nothing of that name, no such version of it, or a delete marker where the version was asked for (405). */
const ABSENT: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchVersion', 'NotFound', 'MethodNotAllowed']);

export function createS3Client(): S3Client {
  const { requestHandler } = CLIENT_CONFIG;
  return new S3Client({
    ...CLIENT_CONFIG,
    requestHandler: { ...requestHandler, requestTimeout: REQUEST_TIMEOUT_MS },
  });
}

/**
 * The `ObjectArchive` port on a bucket with Object Lock and a default retention, which is what locks each version.
 *
 * The role needs `s3:ListBucket`: without it, S3 answers for an absent key that access is denied.
 */
export function createS3Archive(bucket: string, client: Pick<S3Client, 'send'>): ObjectArchive {
  return {
    async create(key, bytes) {
      try {
        const { VersionId: versionId } = await client.send(
          new PutObjectCommand({ ...put(bucket, key, bytes), IfNoneMatch: '*' }),
        );
        if (versionId === undefined) throw unexpectedReply();
        return { status: 'created', versionId };
      } catch (error) {
        if (errorName(error) === 'PreconditionFailed') return { status: 'exists' };
        throw archiveUnavailable(error);
      }
    },

    async replace(key, bytes, etag) {
      try {
        await client.send(new PutObjectCommand({ ...put(bucket, key, bytes), IfMatch: etag }));
        return { status: 'replaced' };
      } catch (error) {
        // Of a key that has no object any more, S3 says so instead.
        if (errorName(error) === 'PreconditionFailed' || ABSENT.has(errorName(error)))
          return { status: 'changed' };
        throw archiveUnavailable(error);
      }
    },

    read: (key, versionId) => read(client, bucket, key, versionId),

    async lock(key, versionId) {
      try {
        const { Retention: retention } = await client.send(
          new GetObjectRetentionCommand({ Bucket: bucket, Key: key, VersionId: versionId }),
        );
        const { Mode: mode, RetainUntilDate: until } = retention ?? {};
        return mode === undefined || until === undefined ? undefined : { mode, retainUntil: until.getTime() };
      } catch (error) {
        const name = errorName(error);
        if (name === 'NoSuchObjectLockConfiguration' || ABSENT.has(name)) return undefined;
        throw archiveUnavailable(error);
      }
    },

    async *list(prefix, startAfter) {
      let token: string | undefined;
      do {
        const command = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        });
        const { Contents: objects = [], NextContinuationToken: next } = await client
          .send(command)
          .catch((error) => {
            throw archiveUnavailable(error);
          });
        const keys = objects.flatMap(({ Key: key }) => key ?? []);
        if (keys.length > 0) yield keys;
        token = next;
      } while (token !== undefined);
    },
  };
}

/** The `StagingArea` port on a bucket whose lifecycle rule removes what nobody needs any more. */
export function createS3Staging(bucket: string, client: Pick<S3Client, 'send'>): StagingArea {
  return {
    async put(key, bytes) {
      await client.send(new PutObjectCommand(put(bucket, key, bytes))).catch((error) => {
        throw archiveUnavailable(error);
      });
    },
    async read(key) {
      return (await read(client, bucket, key))?.bytes;
    },
  };
}

/** With a checksum over the bytes, which S3 verifies and keeps; a put under Object Lock has to have one. */
function put(bucket: string, key: string, bytes: Uint8Array): PutObjectCommandInput {
  return { Bucket: bucket, Key: key, Body: bytes, ChecksumAlgorithm: 'SHA256' };
}

async function read(
  client: Pick<S3Client, 'send'>,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<ArchivedObject | undefined> {
  try {
    const reply = await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        // The client compares what arrives with the checksum that was kept.
        ChecksumMode: 'ENABLED',
        ...(versionId === undefined ? {} : { VersionId: versionId }),
      }),
    );
    const { Body: body, ETag: etag, VersionId: found = 'null' } = reply;
    if (body === undefined || etag === undefined) throw unexpectedReply();
    return { bytes: await body.transformToByteArray(), versionId: found, etag };
  } catch (error) {
    if (ABSENT.has(errorName(error))) return undefined;
    throw archiveUnavailable(error);
  }
}

/**
 * What to throw for an error of S3. A conditional write that met another one under way (409) is among them: it says
 * nothing of what the other one will leave, so it has to be tried again.
 */
function archiveUnavailable(cause: unknown): unknown {
  if (cause instanceof TypeError) return cause;
  return unavailable('The archive does not answer right now. Try again.', cause);
}

function unexpectedReply(): Error {
  return unavailable('The archive gave an unexpected answer, which was not used. Try again.');
}

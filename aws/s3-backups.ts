import { createGunzip, gzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { BackupFault } from '../core/backup/backup-fault.ts';
import { type BackupFiles, MAX_MANIFEST_BYTES } from '../core/backup/backup-files.ts';
import { readDataFile } from '../core/backup/data-file.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { errorName } from './clients.ts';

const ABSENT: ReadonlySet<string> = new Set(['NoSuchKey', 'NotFound']);

/**
 * The `BackupFiles` port on the bucket for backups. The role needs `s3:ListBucket` and `s3:GetObject` there, and
 * `kms:Decrypt` with the bucket's key.
 */
export function createS3Backups(bucket: string, client: Pick<S3Client, 'send'>): BackupFiles {
  async function* list(prefix: string) {
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        Delimiter: '/',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await client.send(command).catch(refuse);
      yield page;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  const open = async (key: string) => {
    try {
      return await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    } catch (error) {
      if (ABSENT.has(errorName(error))) return undefined;
      return refuse(error);
    }
  };

  return {
    async *folders(prefix) {
      for await (const { CommonPrefixes: found = [] } of list(prefix)) {
        for (const { Prefix: folder } of found) if (folder !== undefined) yield folder;
      }
    },

    async *files(prefix) {
      for await (const { Contents: found = [] } of list(prefix)) {
        for (const { Key: key, Size: size = 0, ETag: etag } of found) {
          if (key !== undefined) yield { key, size, etag: etag?.replaceAll('"', '') };
        }
      }
    },

    async read(key) {
      const object = await open(key);
      if (object === undefined) return undefined;
      const { Body: body, ContentLength: size = Number.POSITIVE_INFINITY } = object;
      if (size > MAX_MANIFEST_BYTES) {
        await body?.transformToWebStream().cancel();
        throw new BackupFault('malformed', key, 'The file is larger than any manifest.');
      }
      return (await body?.transformToByteArray().catch(refuse)) ?? new Uint8Array();
    },

    async *lines(file) {
      const object = await open(file.key);
      if (object === undefined) throw new BackupFault('missing', file.key, 'The data file is not there.');
      yield* readDataFile(file, received(object.Body), gunzip);
    },
  };
}

/** The bytes of a reply as they come. */
async function* received(body: unknown): AsyncGenerator<Uint8Array> {
  if (!isStream(body))
    throw unavailable('The bucket gave an unexpected answer, which was not used. Try again.');
  try {
    yield* body;
  } catch (error) {
    refuse(error);
  }
}

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
}

/** Undoes gzip as bytes come. No bytes at all are an empty file, as DynamoDB writes it for an empty partition. */
export async function* gunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unpacker = createGunzip();
  // After an error, or when nobody wants more, a write is never answered.
  const closed = new Promise((resolve) => unpacker.once('close', resolve));
  const feed = async (): Promise<void> => {
    let isEmpty = true;
    for await (const chunk of packed) {
      await Promise.race([closed, new Promise((resolve) => unpacker.write(chunk, resolve))]);
      if (unpacker.destroyed) return;
      isEmpty &&= chunk.length === 0;
    }
    unpacker.end(isEmpty ? gzipSync('') : undefined);
  };
  const fed = feed().catch((error: Error) => void unpacker.destroy(error));
  try {
    yield* unpacker;
  } finally {
    unpacker.destroy();
    await fed;
  }
}

function refuse(cause: unknown): never {
  if (cause instanceof TypeError) throw cause;
  throw unavailable('The bucket of the backups does not answer right now. Try again.', cause);
}

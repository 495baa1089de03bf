import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { concurrently } from '../core/kernel/concurrently.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { DAY_MS, timestamp } from '../core/kernel/timestamps.ts';
import type { CallFile, KeyCalls } from '../core/reconciliation/key-calls.ts';
import { errorName } from './clients.ts';
import { readTrailFile } from './cloudtrail-records.ts';

/** Files read at once; each has some megabytes, unpacked. */
const WIDTH = 8;
/** CloudTrail's files have a few megabytes packed; a larger object is none of them. */
const MAX_PACKED_BYTES = 64 * 1024 * 1024;
/** What is wrong with one object, and will be: the others are read all the same. */
const UNREADABLE: ReadonlySet<string> = new Set([
  'NoSuchKey',
  'NotFound',
  'AccessDenied',
  'InvalidObjectState',
]);

interface Listed {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * The `KeyCalls` port on the bucket of a CloudTrail trail. Its files are
 * `AWSLogs/<account>/CloudTrail/<region>/YYYY/MM/DD/<account>_CloudTrail_<region>_YYYYMMDDTHHmmZ_<random>.json.gz` by the
 * time of delivery, UTC; each may hold records of any time before that (CloudTrail User Guide, "CloudTrail log file
 * examples"). Calls on keys of other accounts are in it, too, as long as somebody of this account made them (KMS Developer
 * Guide, "Logging AWS KMS API calls with AWS CloudTrail"). The role needs `s3:ListBucket` and `s3:GetObject`.
 *
 * @param keyArns the deployment's own keys, at least one; account and region are theirs.
 */
export function createCloudTrailCalls(
  bucket: string,
  keyArns: readonly string[],
  client: Pick<S3Client, 'send'>,
): KeyCalls {
  const [, , , region = '', account = ''] = keyArns[0]?.split(':') ?? [];

  async function* objectsOf(day: string, from: number): AsyncGenerator<readonly Listed[]> {
    const folder = `AWSLogs/${account}/CloudTrail/${region}/${day.replaceAll('-', '/')}/`;
    const first = `${folder}${account}_CloudTrail_${region}_${minuteOf(from)}`;
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: folder,
        // Nothing in here was delivered before the span began.
        StartAfter: first,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await client.send(command).catch(refuse);
      const listed = (page.Contents ?? []).map(({ Key: key = '', Size: size = 0 }) => ({ key, size }));
      // CloudTrail makes no folders below that of a day.
      yield listed.filter(({ key }) => key.endsWith('.json.gz') && !key.includes('/', folder.length));
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  const read = async ({ key, size }: Listed): Promise<CallFile> => {
    if (size > MAX_PACKED_BYTES) return { name: key, calls: [], isDamaged: true };
    try {
      const { Body: body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      const bytes = (await body?.transformToByteArray()) ?? new Uint8Array();
      return { name: key, ...readTrailFile(bytes, keyArns) };
    } catch (error) {
      if (UNREADABLE.has(errorName(error))) return { name: key, calls: [], isDamaged: true };
      return refuse(error);
    }
  };

  return {
    async *files({ from, deliveredUntil }) {
      for (let at = from; dayOf(at) <= dayOf(deliveredUntil); at += DAY_MS) {
        for await (const listed of objectsOf(dayOf(at), from)) {
          for (let start = 0; start < listed.length; start += WIDTH)
            yield* await concurrently(listed.slice(start, start + WIDTH), WIDTH, read);
        }
      }
    },
  };
}

function dayOf(milliseconds: number): string {
  return timestamp(milliseconds).slice(0, 10);
}

/** As in the names of files: `20261122T0005Z`. */
function minuteOf(milliseconds: number): string {
  return `${timestamp(milliseconds).slice(0, 16).replace(/[-:]/g, '')}Z`;
}

function refuse(cause: unknown): never {
  throw unavailable('The log of key calls does not answer right now. Try again.', cause);
}

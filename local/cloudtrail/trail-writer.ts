import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { StandIn } from '../stand-in.ts';

/** An event record as CloudTrail writes it. */
export type TrailRecord = Readonly<Record<string, unknown>>;

export interface TrailWriter {
  /** Keeps a record; it is delivered with the others of the next seconds. */
  record(record: TrailRecord): void;
  /** Delivers now what was kept. What cannot be delivered is kept for the next time. */
  flush(): Promise<void>;
}

export interface TrailWriterOptions {
  /** The S3 stand-in, and the bucket in it. */
  readonly s3: StandIn;
  readonly bucket: string;
  readonly region: string;
  readonly accountId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long records are gathered. CloudTrail takes minutes. */
  readonly delayMs?: number;
}

/**
 * Delivers records as a CloudTrail trail does: gzip files of `{"Records": […]}` in a bucket, in a folder for each day,
 * under the name that tells account, region and the minute of delivery.
 */
export function createTrailWriter(options: TrailWriterOptions): TrailWriter {
  const { s3, bucket, delayMs = 2_000 } = options;
  let waiting: TrailRecord[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const records = waiting;
    waiting = [];
    if (records.length === 0) return;
    const body = gzipSync(JSON.stringify({ Records: records }));
    const { status } = await s3({
      method: 'PUT',
      path: `/${bucket}/${fileKey(options)}`,
      query: new URLSearchParams(),
      headers: {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-md5': createHash('md5').update(body).digest('base64'),
      },
      body,
    });
    if (status === 200) return;
    waiting = [...records, ...waiting];
    console.error(`The trail's bucket ${bucket} refused a file with status ${status}.`);
  };

  return {
    record(record) {
      waiting.push(record);
      timer ??= setTimeout(() => void flush(), delayMs).unref();
    },
    flush,
  };
}

function fileKey({ region, accountId, now }: TrailWriterOptions): string {
  const time = new Date(now()).toISOString();
  const minute = time.slice(0, 16).replaceAll(/[-:]/g, '');
  const folder = `AWSLogs/${accountId}/CloudTrail/${region}/${time.slice(0, 10).replaceAll('-', '/')}`;
  const random = randomBytes(8).toString('hex');
  return `${folder}/${accountId}_CloudTrail_${region}_${minute}Z_${random}.json.gz`;
}

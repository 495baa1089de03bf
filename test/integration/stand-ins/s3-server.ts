import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createS3 } from '../../../local/s3/s3.ts';
import { credentials, serveStandIns } from './serve-stand-ins.ts';

/** One S3 stand-in on a folder of its own, with a clock that tests set, and an unmodified client. */
export class S3Server {
  readonly folder = mkdtempSync(join(tmpdir(), 's3-'));
  now = Date.UTC(2026, 0, 1);
  url = '';
  client = new S3Client({});
  private close: () => Promise<void> = async () => undefined;

  async start(): Promise<void> {
    const standIn = createS3({ folder: this.folder, now: () => this.now });
    const { url, close } = await serveStandIns({ '/_aws/s3': standIn });
    this.url = `${url}/_aws/s3`;
    this.close = close;
    this.client = new S3Client({ region: 'us-east-1', credentials, endpoint: this.url, maxAttempts: 1 });
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.close();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  removeFolder(): void {
    rmSync(this.folder, { recursive: true });
  }

  async createLockedBucket(Bucket: string): Promise<void> {
    await this.client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  }

  /** Puts a small object and returns its version id. */
  async put(Bucket: string, Key: string, Body = 'x'): Promise<string> {
    const { VersionId } = await this.client.send(new PutObjectCommand({ Bucket, Key, Body }));
    return VersionId ?? 'null';
  }
}

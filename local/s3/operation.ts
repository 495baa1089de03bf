import { AwsError, type WireRequest, type WireResponse } from '../stand-in.ts';
import type { Bucket, Storage, Version } from './storage.ts';

/** What an operation is given: the request, taken apart, and the state. */
export interface Operation {
  storage: Storage;
  request: WireRequest;
  /** As the client named it; it may not exist. */
  bucketName: string;
  key: string;
  /** Milliseconds since the epoch. */
  now: number;
}

export function findBucket({ storage, bucketName }: Operation): Bucket {
  const bucket = storage.bucket(bucketName);
  if (bucket !== undefined) return bucket;
  throw new AwsError('NoSuchBucket', 'The specified bucket does not exist.', 404);
}

/** The version that the request names, or the current one; it may be a delete marker. */
export function findVersion(operation: Operation, bucket: Bucket): Version {
  const versions = operation.storage.versions(bucket.name, operation.key);
  const versionId = operation.request.query.get('versionId');
  const version = versionId === null ? versions[0] : versions.find((each) => each.versionId === versionId);
  if (version !== undefined) return version;
  if (versionId === null) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  throw new AwsError('NoSuchVersion', 'The specified version does not exist.', 404);
}

/** Object Lock's own headers come as `true` and as `True`. */
export function isTrue(header: string | undefined): boolean {
  return header?.toLowerCase() === 'true';
}

export function empty(status = 200, headers: Record<string, string> = {}): WireResponse {
  return { status, headers, body: '' };
}

export function xml(body: string): WireResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

import { createHash, randomBytes } from 'node:crypto';
import { AwsError, type WireResponse } from '../stand-in.ts';
import { applyDefault, assertInFuture, type Lock, parseLegalHold, parseRetention } from './object-lock.ts';
import { empty, findBucket, type Operation } from './operation.ts';
import type { Bucket } from './storage.ts';
import { readUpload } from './upload.ts';

const KEPT_HEADERS = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]);

/** Headers that would change what a put means; refused, since to ignore them would be to lie. */
const UNSUPPORTED_HEADERS = ['x-amz-copy-source', 'x-amz-write-offset-bytes'];

export function putObject(operation: Operation): WireResponse {
  const { storage, request, key, now } = operation;
  const bucket = findBucket(operation);
  for (const name of UNSUPPORTED_HEADERS) {
    if (request.headers[name] !== undefined) throw notImplemented(name);
  }
  const { data, checksums } = readUpload(request);
  assertConditions(operation, bucket);
  const versionId = nextVersionId(bucket);
  const etag = `"${createHash('md5').update(data).digest('hex')}"`;
  storage.add(
    bucket.name,
    {
      key,
      versionId,
      lastModified: now,
      deleteMarker: false,
      size: data.length,
      etag,
      headers: keptHeaders(request.headers),
      checksums,
      ...lockFor(bucket, operation, Object.keys(checksums).length > 0),
    },
    data,
  );
  return empty(200, {
    etag,
    ...checksums,
    ...(bucket.versioning === null ? {} : { 'x-amz-version-id': versionId }),
  });
}

export function nextVersionId(bucket: Bucket): string {
  return bucket.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null';
}

/**
 * `If-None-Match: *` asks for no object, `If-Match` for one with this ETag (AWS, "Conditional writes"). A key whose
 * current version is a delete marker has none.
 */
function assertConditions({ storage, request, key }: Operation, bucket: Bucket): void {
  const { 'if-none-match': noneMatch, 'if-match': match } = request.headers;
  if (noneMatch === undefined && match === undefined) return;
  if (noneMatch !== undefined && match !== undefined) throw notImplemented('if-none-match beside if-match');
  if (noneMatch !== undefined && noneMatch !== '*') throw notImplemented('if-none-match with an ETag');
  const [newest] = storage.versions(bucket.name, key);
  const current = newest?.deleteMarker === true ? undefined : newest;
  if (match === undefined ? current === undefined : match === current?.etag) return;
  if (current === undefined) throw new AwsError('NoSuchKey', 'The specified key does not exist.', 404);
  throw new AwsError(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    412,
  );
}

function lockFor(bucket: Bucket, { request: { headers }, now }: Operation, hasChecksum: boolean): Lock {
  const until = headers['x-amz-object-lock-retain-until-date'];
  const retention = parseRetention(headers['x-amz-object-lock-mode'], until);
  assertInFuture(retention, now);
  const legalHold = parseLegalHold(headers['x-amz-object-lock-legal-hold']);
  const asked = retention !== null || legalHold !== null;
  if (asked && !bucket.objectLock) {
    throw new AwsError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  }
  const lock = { retention: retention ?? applyDefault(bucket.defaultRetention, now), legalHold };
  if ((asked || lock.retention !== null) && !hasChecksum && headers['content-md5'] === undefined) {
    throw new AwsError(
      'InvalidRequest',
      'A put with Object Lock parameters needs Content-MD5 or a checksum header.',
    );
  }
  return lock;
}

function keptHeaders(headers: Record<string, string>): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => KEPT_HEADERS.has(name) || name.startsWith('x-amz-meta-'),
  );
  const { 'content-encoding': encoding = '', ...rest } = Object.fromEntries(kept);
  // aws-chunked describes the transfer, not the object.
  const encodings = encoding.split(',').map((each) => each.trim());
  const ofObject = encodings.filter((each) => each !== '' && each !== 'aws-chunked').join(',');
  const type = rest['content-type'] ?? 'binary/octet-stream';
  return { ...rest, 'content-type': type, ...(ofObject === '' ? {} : { 'content-encoding': ofObject }) };
}

function notImplemented(what: string): AwsError {
  return new AwsError('NotImplemented', `This stand-in does not implement ${what} on a put.`, 501);
}

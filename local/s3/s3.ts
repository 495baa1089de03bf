import { randomUUID } from 'node:crypto';
import { AwsError, type StandIn, toAwsError, type WireRequest, type WireResponse } from '../stand-in.ts';
import * as buckets from './buckets.ts';
import { listObjects, listObjectVersions } from './list-objects.ts';
import { deleteObject, deleteObjects, getObject } from './objects.ts';
import type { Operation } from './operation.ts';
import * as protection from './protection.ts';
import { putObject } from './put-object.ts';
import { openStorage } from './storage.ts';
import { xmlElement, xmlText } from './xml.ts';

export interface S3Options {
  /** Holds every bucket; made where it is missing. */
  folder: string;
  /** Milliseconds since the epoch. */
  now: () => number;
}

const ROUTES = new Map<string, (operation: Operation) => WireResponse>([
  ['GET service', buckets.listBuckets],
  ['PUT bucket', buckets.createBucket],
  ['HEAD bucket', buckets.headBucket],
  ['GET bucket?versioning', buckets.getVersioning],
  ['PUT bucket?versioning', buckets.putVersioning],
  ['GET bucket?object-lock', buckets.getObjectLock],
  ['PUT bucket?object-lock', buckets.putObjectLock],
  ['GET bucket?list-type', listObjects],
  ['GET bucket?versions', listObjectVersions],
  ['POST bucket?delete', deleteObjects],
  ['PUT object', putObject],
  ['GET object', getObject],
  ['HEAD object', getObject],
  ['DELETE object', deleteObject],
  ['GET object?retention', protection.getRetention],
  ['PUT object?retention', protection.putRetention],
  ['GET object?legal-hold', protection.getLegalHold],
  ['PUT object?legal-hold', protection.putLegalHold],
]);

/** Query names that say how, not what. Any other one names a subresource, and an unknown one is refused. */
const PARAMETERS = new Set([
  'x-id',
  'versionId',
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'key-marker',
  'version-id-marker',
  'encoding-type',
  'fetch-owner',
]);

const MAX_KEY_BYTES = 1024;

/**
 * A stand-in for Amazon S3 in path style, with versioning and an Object Lock that refuses as the real one does.
 * It keeps everything below one folder. What it does not implement answers 501.
 */
export function createS3({ folder, now }: S3Options): StandIn {
  const storage = openStorage(folder);
  return async (request) => {
    const requestId = randomUUID();
    try {
      const { bucketName, key } = splitPath(request.path);
      const route = ROUTES.get(routeOf(request, bucketName, key));
      if (route === undefined)
        throw new AwsError('NotImplemented', 'This stand-in has no such operation.', 501);
      const answer = route({ storage, request, bucketName, key, now: now() });
      return { ...answer, headers: { ...answer.headers, 'x-amz-request-id': requestId } };
    } catch (cause) {
      return errorResponse(toAwsError(cause), request, requestId);
    }
  };
}

function splitPath(path: string): { bucketName: string; key: string } {
  const [, bucketName = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  try {
    const decoded = { bucketName: decodeURIComponent(bucketName), key: decodeURIComponent(key) };
    if (Buffer.byteLength(decoded.key) <= MAX_KEY_BYTES) return decoded;
  } catch (cause) {
    throw new AwsError('InvalidURI', `The path is not valid: ${String(cause)}`);
  }
  throw new AwsError('KeyTooLongError', 'Your key is too long');
}

function routeOf({ method, query }: WireRequest, bucketName: string, key: string): string {
  const scope = bucketName === '' ? 'service' : key === '' ? 'bucket' : 'object';
  const subresources = [...query.keys()].filter((name) => !PARAMETERS.has(name));
  return `${method} ${scope}${subresources.map((name) => `?${name}`).join('')}`;
}

function errorResponse(error: AwsError, request: WireRequest, requestId: string): WireResponse {
  const fields = [
    xmlText('Code', error.code),
    xmlText('Message', error.message),
    xmlText('Resource', request.path),
    xmlText('RequestId', requestId),
  ];
  return {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/xml', 'x-amz-request-id': requestId },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${xmlElement('Error', ...fields)}`,
  };
}

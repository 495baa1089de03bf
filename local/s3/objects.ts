import { AwsError, toAwsError, type WireResponse } from '../stand-in.ts';
import { assertDeletable } from './object-lock.ts';
import { empty, findBucket, findVersion, isTrue, type Operation, xml } from './operation.ts';
import { nextVersionId } from './put-object.ts';
import type { Bucket, Version } from './storage.ts';
import {
  malformedXml,
  readDocument,
  readElements,
  readText,
  xmlDocument,
  xmlElement,
  xmlText,
} from './xml.ts';

const MAX_KEYS_PER_DELETE = 1000;

/** Answers GET and HEAD; the whole object, since a server may ignore Range (RFC 9110, 14.2). */
export function getObject(operation: Operation): WireResponse {
  const bucket = findBucket(operation);
  const version = findVersion(operation, bucket);
  if (version.deleteMarker) return deleteMarkerAnswer(operation, version);
  const withChecksums = operation.request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED';
  const headers = {
    ...version.headers,
    etag: version.etag,
    'last-modified': new Date(version.lastModified).toUTCString(),
    'content-length': String(version.size),
    ...(bucket.versioning === null ? {} : { 'x-amz-version-id': version.versionId }),
    ...(withChecksums ? version.checksums : {}),
    ...lockHeaders(version),
  };
  const isHead = operation.request.method === 'HEAD';
  return { status: 200, headers, body: isHead ? '' : operation.storage.read(bucket.name, version) };
}

export function deleteObject(operation: Operation): WireResponse {
  const { deleteMarker, versionId } = remove(operation, findBucket(operation));
  return empty(204, {
    ...(deleteMarker ? { 'x-amz-delete-marker': 'true' } : {}),
    ...(versionId === undefined ? {} : { 'x-amz-version-id': versionId }),
  });
}

/** Deletes up to 1,000 keys or versions; one that is refused stops none of the others. */
export function deleteObjects(operation: Operation): WireResponse {
  const bucket = findBucket(operation);
  const body = readDocument(operation.request.body, 'Delete');
  const targets = readElements(body, 'Object');
  if (targets.length === 0 || targets.length > MAX_KEYS_PER_DELETE)
    throw malformedXml('Give 1 to 1000 objects.');
  const quiet = isTrue(readText(body, 'Quiet'));
  const results = targets.map((target) => {
    const key = readText(target, 'Key');
    if (key === undefined) throw malformedXml('Every Object needs a Key.');
    return { key, asked: readText(target, 'VersionId') };
  });
  return xml(
    xmlDocument(
      'DeleteResult',
      ...results.map(({ key, asked }) => removeOne(operation, bucket, key, asked, quiet)),
    ),
  );
}

function removeOne(
  operation: Operation,
  bucket: Bucket,
  key: string,
  asked: string | undefined,
  quiet: boolean,
): string {
  const named = [xmlText('Key', key), xmlText('VersionId', asked)];
  const query = new URLSearchParams(asked === undefined ? {} : { versionId: asked });
  try {
    const { deleteMarker, versionId } = remove(
      { ...operation, key, request: { ...operation.request, query } },
      bucket,
    );
    const marker = deleteMarker
      ? [xmlText('DeleteMarker', true), xmlText('DeleteMarkerVersionId', versionId)]
      : [];
    return quiet ? '' : xmlElement('Deleted', ...named, ...marker);
  } catch (cause) {
    const error = toAwsError(cause);
    return xmlElement('Error', ...named, xmlText('Code', error.code), xmlText('Message', error.message));
  }
}

interface Removal {
  /** A delete marker was made, or the version removed was one. */
  deleteMarker: boolean;
  versionId: string | undefined;
}

function remove({ storage, request, key, now }: Operation, bucket: Bucket): Removal {
  const asked = request.query.get('versionId');
  if (asked === null && bucket.versioning !== null) return addDeleteMarker(storage, bucket, key, now);
  const version = storage.versions(bucket.name, key).find(({ versionId }) => versionId === (asked ?? 'null'));
  if (version !== undefined) {
    assertDeletable(version, isTrue(request.headers['x-amz-bypass-governance-retention']), now);
    storage.remove(bucket.name, version);
  }
  return { deleteMarker: version?.deleteMarker ?? false, versionId: asked ?? undefined };
}

function addDeleteMarker(storage: Operation['storage'], bucket: Bucket, key: string, now: number): Removal {
  const versionId = nextVersionId(bucket);
  const unlocked = { retention: null, legalHold: null };
  const marker = {
    key,
    versionId,
    lastModified: now,
    deleteMarker: true,
    size: 0,
    etag: '',
    headers: {},
    checksums: {},
  };
  storage.add(bucket.name, { ...marker, ...unlocked }, null);
  return { deleteMarker: true, versionId };
}

/** The marker hides the object (404); asked for by its own id it is no object at all (405). */
function deleteMarkerAnswer({ request }: Operation, { versionId }: Version): never {
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': versionId };
  throw request.query.has('versionId')
    ? new AwsError('MethodNotAllowed', 'The specified version is a delete marker.', 405, headers)
    : new AwsError('NoSuchKey', 'The specified key does not exist.', 404, headers);
}

function lockHeaders({ retention, legalHold }: Version): Record<string, string> {
  return {
    ...(legalHold === null ? {} : { 'x-amz-object-lock-legal-hold': legalHold }),
    ...(retention === null
      ? {}
      : {
          'x-amz-object-lock-mode': retention.mode,
          'x-amz-object-lock-retain-until-date': new Date(retention.until).toISOString(),
        }),
  };
}

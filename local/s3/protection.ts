import { AwsError, type WireResponse } from '../stand-in.ts';
import { assertChangeable, assertInFuture, parseLegalHold, parseRetention } from './object-lock.ts';
import { empty, findBucket, findVersion, isTrue, type Operation, xml } from './operation.ts';
import type { Version } from './storage.ts';
import { malformedXml, readDocument, readText, xmlDocument, xmlText } from './xml.ts';

export function getRetention(operation: Operation): WireResponse {
  const { retention } = findLockable(operation);
  if (retention === null) throw notLocked();
  const until = new Date(retention.until).toISOString();
  return xml(xmlDocument('Retention', xmlText('Mode', retention.mode), xmlText('RetainUntilDate', until)));
}

/** The lock answers first: who would shorten it to a date that is past is refused for shortening it. */
export function putRetention(operation: Operation): WireResponse {
  const { request, storage, bucketName, now } = operation;
  const version = findLockable(operation);
  const body = readDocument(request.body, 'Retention');
  const retention = parseRetention(readText(body, 'Mode'), readText(body, 'RetainUntilDate'));
  const bypass = isTrue(request.headers['x-amz-bypass-governance-retention']);
  assertChangeable(version.retention, retention, bypass, now);
  assertInFuture(retention, now);
  storage.setLock(bucketName, version, { retention });
  return empty();
}

export function getLegalHold(operation: Operation): WireResponse {
  const { legalHold } = findLockable(operation);
  if (legalHold === null) throw notLocked();
  return xml(xmlDocument('LegalHold', xmlText('Status', legalHold)));
}

export function putLegalHold(operation: Operation): WireResponse {
  const version = findLockable(operation);
  const legalHold = parseLegalHold(readText(readDocument(operation.request.body, 'LegalHold'), 'Status'));
  if (legalHold === null) throw malformedXml('A legal hold needs a Status.');
  operation.storage.setLock(operation.bucketName, version, { legalHold });
  return empty();
}

function findLockable(operation: Operation): Version {
  const bucket = findBucket(operation);
  if (!bucket.objectLock) throw new AwsError('InvalidRequest', 'Bucket is missing Object Lock Configuration');
  const version = findVersion(operation, bucket);
  if (!version.deleteMarker) return version;
  throw new AwsError('MethodNotAllowed', 'A delete marker cannot be locked.', 405);
}

function notLocked(): AwsError {
  return new AwsError(
    'NoSuchObjectLockConfiguration',
    'The specified object does not have a ObjectLock configuration',
    404,
  );
}

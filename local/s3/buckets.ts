import { AwsError, type WireResponse } from '../stand-in.ts';
import { type DefaultRetention, parseMode } from './object-lock.ts';
import { empty, findBucket, isTrue, type Operation, xml } from './operation.ts';
import {
  malformedXml,
  readDocument,
  readElements,
  readText,
  xmlDocument,
  xmlElement,
  xmlText,
} from './xml.ts';

export function listBuckets({ storage }: Operation): WireResponse {
  const buckets = storage
    .buckets()
    .map(({ name, createdAt }) =>
      xmlElement('Bucket', xmlText('Name', name), xmlText('CreationDate', new Date(createdAt).toISOString())),
    );
  return xml(xmlDocument('ListAllMyBucketsResult', xmlElement('Buckets', ...buckets)));
}

export function createBucket({ storage, request, bucketName, now }: Operation): WireResponse {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucketName) || bucketName.includes('..')) {
    throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.');
  }
  if (storage.bucket(bucketName) !== undefined) {
    throw new AwsError('BucketAlreadyOwnedByYou', 'You already own a bucket of this name.', 409);
  }
  const objectLock = isTrue(request.headers['x-amz-bucket-object-lock-enabled']);
  storage.saveBucket({
    name: bucketName,
    createdAt: now,
    versioning: objectLock ? 'Enabled' : null,
    objectLock,
    defaultRetention: null,
  });
  return empty(200, { location: `/${bucketName}` });
}

export function headBucket(operation: Operation): WireResponse {
  findBucket(operation);
  return empty();
}

export function getVersioning(operation: Operation): WireResponse {
  const { versioning } = findBucket(operation);
  return xml(xmlDocument('VersioningConfiguration', xmlText('Status', versioning ?? undefined)));
}

export function putVersioning(operation: Operation): WireResponse {
  const bucket = findBucket(operation);
  const status = readText(readDocument(operation.request.body, 'VersioningConfiguration'), 'Status');
  if (status !== 'Enabled' && status !== 'Suspended')
    throw malformedXml('Status must be Enabled or Suspended.');
  if (bucket.objectLock && status === 'Suspended') {
    throw new AwsError('InvalidBucketState', 'A bucket with Object Lock keeps its versioning.', 409);
  }
  operation.storage.saveBucket({ ...bucket, versioning: status });
  return empty();
}

export function getObjectLock(operation: Operation): WireResponse {
  const { objectLock, defaultRetention: rule } = findBucket(operation);
  if (!objectLock) {
    throw new AwsError(
      'ObjectLockConfigurationNotFoundError',
      'This bucket has no Object Lock configuration.',
      404,
    );
  }
  const rules =
    rule === null
      ? []
      : [
          xmlElement(
            'Rule',
            xmlElement('DefaultRetention', xmlText('Mode', rule.mode), xmlText(rule.unit, rule.count)),
          ),
        ];
  return xml(xmlDocument('ObjectLockConfiguration', xmlText('ObjectLockEnabled', 'Enabled'), ...rules));
}

/** Once on, Object Lock stays on; only the default retention may change. */
export function putObjectLock(operation: Operation): WireResponse {
  const bucket = findBucket(operation);
  const body = readDocument(operation.request.body, 'ObjectLockConfiguration');
  if (readText(body, 'ObjectLockEnabled') !== 'Enabled')
    throw malformedXml('ObjectLockEnabled must be Enabled.');
  if (bucket.versioning !== 'Enabled') {
    throw new AwsError('InvalidBucketState', 'Object Lock needs a bucket with versioning enabled.', 409);
  }
  const [retention] = readElements(body, 'DefaultRetention');
  const defaultRetention = retention === undefined ? null : parseDefaultRetention(retention);
  operation.storage.saveBucket({ ...bucket, objectLock: true, defaultRetention });
  return empty();
}

function parseDefaultRetention(body: string): DefaultRetention {
  const days = readText(body, 'Days');
  const years = readText(body, 'Years');
  if ((days === undefined) === (years === undefined)) throw malformedXml('Give either Days or Years.');
  const count = Number(days ?? years);
  if (!Number.isInteger(count) || count < 1) {
    throw new AwsError('InvalidArgument', 'A default retention must be a positive number of days or years.');
  }
  return {
    mode: parseMode(readText(body, 'Mode') ?? ''),
    unit: days === undefined ? 'Years' : 'Days',
    count,
  };
}

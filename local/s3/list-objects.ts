import { AwsError, type WireResponse } from '../stand-in.ts';
import { findBucket, type Operation, xml } from './operation.ts';
import { compareUtf8, type Version } from './storage.ts';
import { xmlDocument, xmlElement, xmlText } from './xml.ts';

const MAX_KEYS = 1000;

/** One line of a listing: a version, or the prefix that stands for all keys below it. */
type Line = { name: string; version: Version | null };

export function listObjects(operation: Operation): WireResponse {
  const { storage, request, bucketName } = operation;
  findBucket(operation);
  const { query } = request;
  const startAfter = query.get('start-after');
  const token = query.get('continuation-token');
  const resumeAfter = token === null ? null : Buffer.from(token, 'base64url').toString('utf8');

  const current = storage
    .allVersions(bucketName)
    .filter((version, index, all) => version.key !== all[index - 1]?.key);
  const candidates = current.filter(
    ({ key, deleteMarker }) => !deleteMarker && (startAfter === null || compareUtf8(key, startAfter) > 0),
  );
  const lines = toLines(candidates, query).filter(
    ({ name }) => resumeAfter === null || compareUtf8(name, resumeAfter) > 0,
  );
  const { page, last, truncated } = firstPage(lines, query);
  const next = last === undefined ? undefined : Buffer.from(last.name).toString('base64url');
  const encode = keyEncoder(query);
  return xml(
    xmlDocument(
      'ListBucketResult',
      ...commonFields(operation, truncated),
      xmlText('KeyCount', page.length),
      xmlText('ContinuationToken', token ?? undefined),
      xmlText('StartAfter', startAfter === null ? undefined : encode(startAfter)),
      xmlText('NextContinuationToken', truncated ? next : undefined),
      ...page.map((line) =>
        line.version === null ? prefixXml(line, encode) : objectXml(line.version, encode),
      ),
    ),
  );
}

export function listObjectVersions(operation: Operation): WireResponse {
  const { storage, request, bucketName } = operation;
  findBucket(operation);
  const { query } = request;
  const all = storage.allVersions(bucketName);
  const latest = new Set(all.filter((version, index) => version.key !== all[index - 1]?.key));
  const { page, last, truncated } = firstPage(afterMarkers(toLines(all, query), query), query);
  const encode = keyEncoder(query);
  return xml(
    xmlDocument(
      'ListVersionsResult',
      ...commonFields(operation, truncated),
      xmlText('KeyMarker', encode(query.get('key-marker') ?? '')),
      xmlText('VersionIdMarker', query.get('version-id-marker') ?? ''),
      xmlText('NextKeyMarker', truncated && last !== undefined ? encode(last.name) : undefined),
      xmlText('NextVersionIdMarker', truncated ? last?.version?.versionId : undefined),
      ...page.map((line) =>
        line.version === null
          ? prefixXml(line, encode)
          : versionXml(line.version, latest.has(line.version), encode),
      ),
    ),
  );
}

/** Folds the keys that share what follows the prefix up to the delimiter into one line. */
function toLines(versions: Version[], query: URLSearchParams): Line[] {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const lines: Line[] = [];
  for (const version of versions) {
    if (!version.key.startsWith(prefix)) continue;
    const end = delimiter === '' ? -1 : version.key.indexOf(delimiter, prefix.length);
    if (end === -1) {
      lines.push({ name: version.key, version });
      continue;
    }
    const name = version.key.slice(0, end + delimiter.length);
    const previous = lines.at(-1);
    if (previous?.version !== null || previous.name !== name) lines.push({ name, version: null });
  }
  return lines;
}

/** A key marker alone skips the whole key; with a version id it skips that version and the newer ones. */
function afterMarkers(lines: Line[], query: URLSearchParams): Line[] {
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  if (keyMarker === '') return lines;
  const marked = lines.findIndex(
    ({ name, version }) => name === keyMarker && version?.versionId === versionMarker,
  );
  if (marked !== -1) return lines.slice(marked + 1);
  return lines.filter(({ name }) => compareUtf8(name, keyMarker) > 0);
}

function firstPage(lines: Line[], query: URLSearchParams) {
  const page = lines.slice(0, maxKeys(query));
  return { page, last: page.at(-1), truncated: page.length > 0 && page.length < lines.length };
}

function maxKeys(query: URLSearchParams): number {
  const asked = query.get('max-keys') ?? String(MAX_KEYS);
  if (!/^\d{1,9}$/.test(asked)) throw new AwsError('InvalidArgument', 'max-keys must be a whole number.');
  return Math.min(Number(asked), MAX_KEYS);
}

function keyEncoder(query: URLSearchParams): (key: string) => string {
  return query.get('encoding-type') === 'url' ? encodeURIComponent : (key) => key;
}

function commonFields({ request: { query }, bucketName }: Operation, truncated: boolean): string[] {
  const encode = keyEncoder(query);
  const delimiter = query.get('delimiter');
  return [
    xmlText('Name', bucketName),
    xmlText('Prefix', encode(query.get('prefix') ?? '')),
    xmlText('Delimiter', delimiter === null ? undefined : encode(delimiter)),
    xmlText('MaxKeys', maxKeys(query)),
    xmlText('EncodingType', query.get('encoding-type') ?? undefined),
    xmlText('IsTruncated', truncated),
  ];
}

function prefixXml({ name }: Line, encode: (key: string) => string): string {
  return xmlElement('CommonPrefixes', xmlText('Prefix', encode(name)));
}

function objectXml(version: Version, encode: (key: string) => string): string {
  return xmlElement('Contents', xmlText('Key', encode(version.key)), ...contentFields(version));
}

function versionXml(version: Version, isLatest: boolean, encode: (key: string) => string): string {
  const identity = [
    xmlText('Key', encode(version.key)),
    xmlText('VersionId', version.versionId),
    xmlText('IsLatest', isLatest),
  ];
  return version.deleteMarker
    ? xmlElement('DeleteMarker', ...identity, modifiedField(version))
    : xmlElement('Version', ...identity, ...contentFields(version));
}

function contentFields(version: Version): string[] {
  const { etag, size } = version;
  return [
    modifiedField(version),
    xmlText('ETag', etag),
    xmlText('Size', size),
    xmlText('StorageClass', 'STANDARD'),
  ];
}

function modifiedField({ lastModified }: Version): string {
  return xmlText('LastModified', new Date(lastModified).toISOString());
}

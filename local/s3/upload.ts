import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError, type WireRequest } from '../stand-in.ts';

export interface Upload {
  data: Buffer;
  /** Header names of checksums, such as `x-amz-checksum-sha256`, with what the client sent and we verified. */
  checksums: Record<string, string>;
}

const DIGESTS: Record<string, (data: Buffer) => string> = {
  'x-amz-checksum-crc32': (data) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(data));
    return bytes.toString('base64');
  },
  'x-amz-checksum-sha1': (data) => createHash('sha1').update(data).digest('base64'),
  'x-amz-checksum-sha256': (data) => createHash('sha256').update(data).digest('base64'),
};

/**
 * Takes the object out of a request body and verifies every checksum that came with it, in a header or in the
 * trailer of an `aws-chunked` body. Throws BadDigest, IncompleteBody, or NotImplemented for an unknown checksum.
 */
export function readUpload(request: WireRequest): Upload {
  const { data, trailers } = isChunked(request)
    ? decodeChunks(request)
    : { data: request.body, trailers: {} };
  verifyDigest(data, 'md5', 'base64', request.headers['content-md5'], 'BadDigest');
  const payloadHash = request.headers['x-amz-content-sha256'] ?? '';
  if (/^[0-9a-f]{64}$/.test(payloadHash)) {
    verifyDigest(data, 'sha256', 'hex', payloadHash, 'XAmzContentSHA256Mismatch');
  }
  return { data, checksums: verifyChecksums(data, { ...request.headers, ...trailers }) };
}

function verifyChecksums(data: Buffer, headers: Record<string, string>): Record<string, string> {
  const checksums: Record<string, string> = {};
  for (const [name, sent] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-checksum-') || name === 'x-amz-checksum-type') continue;
    const digest = DIGESTS[name];
    if (digest === undefined) {
      throw new AwsError(
        'NotImplemented',
        `This stand-in cannot verify ${name}: use CRC32, SHA1 or SHA256.`,
        501,
      );
    }
    if (digest(data) !== sent) {
      throw new AwsError('BadDigest', `The ${name} that you specified did not match what was received.`);
    }
    checksums[name] = sent;
  }
  return checksums;
}

function verifyDigest(
  data: Buffer,
  algorithm: 'md5' | 'sha256',
  encoding: 'base64' | 'hex',
  sent: string | undefined,
  code: string,
): void {
  if (sent === undefined || createHash(algorithm).update(data).digest(encoding) === sent) return;
  throw new AwsError(code, `The ${algorithm} digest that you specified did not match what was received.`);
}

function isChunked({ headers }: WireRequest): boolean {
  const encodings = headers['content-encoding'] ?? '';
  return (
    /(^|,)\s*aws-chunked/.test(encodings) || (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-')
  );
}

/**
 * Decodes `aws-chunked` (AWS, "Signature calculations: transferring payload in multiple chunks"): chunks of
 * `<length in hex>[;extensions]CRLF<data>CRLF`, the last of length 0, then trailer lines.
 */
function decodeChunks({ body, headers }: WireRequest): { data: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let position = 0;
  for (;;) {
    const line = readLine(body, position);
    const length = /^[0-9a-fA-F]{1,8}(?=;|$)/.exec(line)?.[0];
    if (length === undefined) throw incompleteBody();
    const start = position + line.length + 2;
    const end = start + Number.parseInt(length, 16);
    if (end === start) {
      const data = Buffer.concat(chunks);
      const decodedLength = headers['x-amz-decoded-content-length'];
      if (decodedLength !== undefined && Number(decodedLength) !== data.length) throw incompleteBody();
      return { data, trailers: parseTrailers(body.toString('latin1', start)) };
    }
    if (body.toString('latin1', end, end + 2) !== '\r\n') throw incompleteBody();
    chunks.push(body.subarray(start, end));
    position = end + 2;
  }
}

function readLine(body: Buffer, start: number): string {
  const end = body.indexOf('\r\n', start);
  if (end === -1) throw incompleteBody();
  return body.toString('latin1', start, end);
}

function parseTrailers(text: string): Record<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

function incompleteBody(): AwsError {
  return new AwsError('IncompleteBody', 'The aws-chunked body is not whole.');
}

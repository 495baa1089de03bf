import { randomUUID } from 'node:crypto';
import { AwsError, type StandIn, toAwsError, type WireRequest, type WireResponse } from './stand-in.ts';

export type JsonInput = Record<string, unknown>;
/** The request is there for what stands beside the input: whose call it is. */
export type JsonOperation = (input: JsonInput, request: WireRequest) => JsonInput;

/**
 * Serves operations over AWS JSON: the header `X-Amz-Target: <service>.<operation>` names the operation, the body is
 * its input, and a refusal is `{__type, message}` (Smithy, "AWS JSON 1.1 protocol"; 1.0 differs in its content type).
 */
export function serveJsonProtocol(
  service: string,
  operations: Record<string, JsonOperation>,
  version: '1.0' | '1.1' = '1.1',
): StandIn {
  const byTarget = new Map(Object.entries(operations).map(([name, run]) => [`${service}.${name}`, run]));
  return async (request) => {
    try {
      const target = request.headers['x-amz-target'] ?? '';
      const run = byTarget.get(target);
      if (run === undefined) {
        throw new AwsError('UnknownOperationException', `This stand-in has no operation "${target}".`);
      }
      return toResponse(version, 200, run(parseInput(request.body), request));
    } catch (cause) {
      const error = toAwsError(cause);
      return toResponse(version, error.status, { __type: error.code, message: error.message });
    }
  };
}

/** Reads a string member, or refuses with ValidationException. */
export function requireString(input: JsonInput, name: string): string {
  const value = optionalString(input, name);
  if (value === undefined) throw new AwsError('ValidationException', `${name} is required.`);
  return value;
}

export function optionalString(input: JsonInput, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined || typeof value === 'string') return value;
  throw new AwsError('ValidationException', `${name} must be a string.`);
}

/** Reads an integer within the bounds, both included. */
export function optionalInteger(
  input: JsonInput,
  name: string,
  min: number,
  max: number,
): number | undefined {
  const value = input[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new AwsError('ValidationException', `${name} must be a whole number from ${min} to ${max}.`);
}

/** Reads a blob, which travels as base64, of at least one byte and at most `maxBytes`. */
export function requireBlob(input: JsonInput, name: string, maxBytes: number): Buffer {
  const bytes = Buffer.from(requireString(input, name), 'base64');
  if (bytes.length > 0 && bytes.length <= maxBytes) return bytes;
  throw new AwsError('ValidationException', `${name} must have from 1 to ${maxBytes} bytes.`);
}

/** Unix seconds with a fraction: how JSON 1.1 writes a point in time given in milliseconds. */
export function toEpochSeconds(milliseconds: number): number {
  return milliseconds / 1000;
}

function parseInput(body: Buffer): JsonInput {
  try {
    const input: unknown = JSON.parse(body.length === 0 ? '{}' : body.toString('utf8'));
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as JsonInput;
  } catch {
    // The refusal below says all that the parser could.
  }
  throw new AwsError('SerializationException', 'The request body must be one JSON object.');
}

function toResponse(version: string, status: number, body: JsonInput): WireResponse {
  return {
    status,
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(body),
  };
}

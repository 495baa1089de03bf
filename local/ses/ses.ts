import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../json-records.ts';
import { AwsError, type StandIn, toAwsError, type WireResponse } from '../stand-in.ts';
import { formatMessage, readMessage } from './message.ts';

export interface SesOptions {
  /** Gets a file for each message; made where it is missing. */
  folder: string;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/**
 * A stand-in for Amazon SES, which delivers nothing: each message becomes a file `<time>-<message id>.eml` of mode
 * 0600. Serves `SendEmail` of the API v2 with a simple text to one address.
 */
export function createSes({ folder, now }: SesOptions): StandIn {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return async ({ method, path, body }) => {
    try {
      if (`${method} ${path}` !== 'POST /v2/email/outbound-emails') {
        throw new AwsError('NotFoundException', `This stand-in has no operation ${method} ${path}.`, 404);
      }
      const message = readMessage(body);
      const messageId = randomUUID();
      const date = new Date(now());
      const name = `${date.toISOString().replaceAll(':', '')}-${messageId}.eml`;
      writeFileAtomic(join(folder, name), formatMessage(message, date));
      return toResponse(200, { MessageId: messageId });
    } catch (cause) {
      const error = toAwsError(cause);
      return toResponse(error.status, { message: error.message }, { 'x-amzn-errortype': error.code });
    }
  };
}

/** As Smithy's "AWS restJson1 protocol" has it: the error's name stands in a header. */
function toResponse(status: number, body: object, headers: Record<string, string> = {}): WireResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID(), ...headers },
    body: JSON.stringify(body),
  };
}

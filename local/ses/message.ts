import { AwsError } from '../stand-in.ts';

export interface Message {
  from: string;
  to: string;
  subject: string;
  text: string;
}

/** Reads the input of `SendEmail`. Throws BadRequestException for what is not a simple text to one address. */
export function readMessage(body: Buffer): Message {
  const input = parseJson(body);
  const recipients = memberAt(input, 'Destination.ToAddresses');
  if (!Array.isArray(recipients) || recipients.length !== 1) {
    throw badRequest('Destination.ToAddresses must have one address.');
  }
  return {
    from: headerAt(input, 'FromEmailAddress'),
    to: headerAt(input, 'Destination.ToAddresses.0'),
    subject: headerAt(input, 'Content.Simple.Subject.Data'),
    text: textAt(input, 'Content.Simple.Body.Text.Data'),
  };
}

/**
 * The message as a file that people and programs can read (RFC 5322, with UTF-8 in headers by RFC 6532). Its lines
 * end in LF, as mail does when it is stored on this kind of system.
 */
export function formatMessage({ from, to, subject, text }: Message, date: Date): string {
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Date: ${date.toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    text,
  ].join('\n');
}

/** A text for one header: a line break in it would begin another header. */
function headerAt(input: unknown, path: string): string {
  const text = textAt(input, path);
  if (!/\p{Cc}/u.test(text)) return text;
  throw badRequest(`${path} must not have control characters.`);
}

function textAt(input: unknown, path: string): string {
  const text = memberAt(input, path);
  if (typeof text === 'string' && text !== '') return text;
  throw badRequest(`${path} is required.`);
}

function memberAt(input: unknown, path: string): unknown {
  let value = input;
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  return value;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('The request body must be JSON.');
  }
}

function badRequest(message: string): AwsError {
  return new AwsError('BadRequestException', message);
}

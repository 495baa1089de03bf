import { AwsError } from '../stand-in.ts';

/** How KMS refuses a key policy. */
export function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocumentException', message);
}

/** Reads an object, which has none but the known members where they are given. */
export function readObject(
  value: unknown,
  name: string,
  known?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(`${name} must be an object.`);
  }
  const unknown = known && Object.keys(value).find((member) => !known.includes(member));
  if (unknown !== undefined) throw malformed(`This stand-in does not know ${unknown} in ${name}.`);
  return Object(value);
}

/** Reads one string or a list of them, each of the form. */
export function readStrings(value: unknown, name: string, form = /(?:)/): readonly string[] {
  const strings: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isText = (each: unknown): each is string => typeof each === 'string' && form.test(each);
  if (strings.length > 0 && strings.every(isText)) return strings;
  throw malformed(`${name} has a value that this stand-in does not know.`);
}

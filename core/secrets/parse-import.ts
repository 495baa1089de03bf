import { type FieldError, VaultError } from '../kernel/errors.ts';
import { parseJson } from '../kernel/parse-json.ts';
import { isName } from './name.ts';
import { parseDotenv } from './parse-dotenv.ts';
import { MAX_VALUE_BYTES } from './secret.ts';

export const MAX_IMPORTED_SECRETS = 500;

export interface ImportedValue {
  readonly name: string;
  readonly value: string;
}

/** Where in the content something stands, for error messages: `line 7` or `"NAME"`. Never what stands there. */
type Entry = ImportedValue & { readonly where: string };

/**
 * The credentials in a `.env` file or in a flat JSON object of strings. Everything is checked, and every fault is
 * reported at once with its place.
 *
 * @throws VaultError `invalid_request`
 */
export function parseImport(format: 'env' | 'json', content: string): readonly ImportedValue[] {
  const { entries, errors } = format === 'env' ? parseDotenv(content) : parseObject(content);
  const faults: FieldError[] = [...errors];
  const seen = new Map<string, string>();
  for (const { name, value, where } of entries) {
    const first = seen.get(name);
    if (first !== undefined) faults.push(fault(where, `the name stands at ${first} already`));
    else seen.set(name, where);
    if (!isName(name))
      faults.push(fault(where, 'the name must have 1 to 128 characters of A-Z a-z 0-9 . _ -'));
    if (Buffer.byteLength(value, 'utf8') > MAX_VALUE_BYTES) {
      faults.push(fault(where, `the value is over ${MAX_VALUE_BYTES} bytes of UTF-8`));
    }
    if (!value.isWellFormed()) faults.push(fault(where, 'the value is not well-formed Unicode'));
  }
  if (entries.length > MAX_IMPORTED_SECRETS) {
    faults.push(
      fault('', `holds ${entries.length} secrets, more than the ${MAX_IMPORTED_SECRETS} of one import`),
    );
  }
  if (entries.length === 0 && faults.length === 0) faults.push(fault('', 'holds no secrets'));
  if (faults.length > 0) {
    throw new VaultError(
      'invalid_request',
      'The content cannot be imported. Nothing was written. See "errors".',
      {
        errors: faults.slice(0, 100),
      },
    );
  }
  return entries.map(({ name, value }) => ({ name, value }));
}

function parseObject(content: string): {
  readonly entries: readonly Entry[];
  readonly errors: readonly FieldError[];
} {
  let value: unknown;
  try {
    value = parseJson(content);
  } catch (error) {
    if (error instanceof VaultError)
      return { entries: [], errors: [fault('', `is not usable JSON: ${error.message}`)] };
    throw error;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { entries: [], errors: [fault('', 'must be a JSON object of names and string values')] };
  }
  const members = Object.entries(value);
  const where = (index: number): string => `member ${index + 1}`;
  return {
    entries: members.flatMap(([name, member], index) =>
      typeof member === 'string' ? [{ name, value: member, where: where(index) }] : [],
    ),
    errors: members.flatMap(([, member], index) =>
      typeof member === 'string' ? [] : [fault(where(index), 'the value must be a string')],
    ),
  };
}

function fault(where: string, reason: string): FieldError {
  return { path: where === '' ? 'content' : `content: ${where}`, reason };
}

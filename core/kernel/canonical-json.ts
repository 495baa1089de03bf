export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * The canonical JSON text of a value (RFC 8785): members sorted by UTF-16 code units, no white space, numbers and
 * strings as ECMAScript writes them. Encode the result as UTF-8 to hash it.
 *
 * @throws TypeError for what JSON or I-JSON (RFC 7493) cannot carry: non-finite numbers, lone surrogates, and any
 * type that is not JSON. Silently dropping those, as `JSON.stringify` does, would let two values share one hash.
 */
export function canonicalJson(value: Json): string {
  if (typeof value === 'string') return canonicalString(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('A non-finite number has no canonical JSON.');
    return JSON.stringify(value);
  }
  // Not `map`, which skips the holes of a sparse list.
  if (Array.isArray(value)) return `[${Array.from(value, canonicalJson).join(',')}]`;
  if (isPlainObject(value)) {
    // The default sort of ECMAScript compares UTF-16 code units, which is what RFC 8785 section 3.2.3 asks for.
    const members = Object.keys(value)
      .sort()
      .map((key) => `${canonicalString(key)}:${canonicalJson(value[key] as Json)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`A value of type ${typeof value} has no canonical JSON.`);
}

/** Printable ASCII without quotes and backslashes: stands in JSON as it is. Nearly every string is such. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A string as canonical JSON, quotes included. */
export function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('A lone surrogate has no canonical JSON.');
  return JSON.stringify(text);
}

function isPlainObject(value: unknown): value is { readonly [key: string]: Json } {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The bytes of canonical base64 (RFC 4648 section 4: padded, the unused bits zero, nothing between), or undefined.
 * One spelling for one value: what is compared or hashed as text must not have a second form.
 */
export function parseBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** A whole number from 0 to 2^53 - 1 in decimal digits without leading zeros, or undefined. */
export function parseDecimal(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

const DECIMAL = /^(0|[1-9][0-9]{0,15})$/;

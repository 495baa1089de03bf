import { timingSafeEqual } from 'node:crypto';
import { type DerivedKeys, hmacHex, type KeyPurpose } from '../crypto/derived-keys.ts';

/** A proof that the vault itself said something, as `<key id>.<HMAC-SHA-256, hex>`: for what it hands out and stores not. */
export async function keyedTag(keys: DerivedKeys, purpose: KeyPurpose, message: string): Promise<string> {
  const { keyId, key } = await keys.current(purpose);
  return `${keyId}.${hmacHex(key, message)}`;
}

/** Whether a tag is one of this message, by any key of the root secret that is still known. Compared in constant time. */
export async function isKeyedTag(
  keys: DerivedKeys,
  purpose: KeyPurpose,
  message: string,
  tag: string,
): Promise<boolean> {
  const [keyId = ''] = tag.split('.');
  const derived = await keys.byId(purpose, keyId);
  if (derived === undefined) return false;
  const expected = Buffer.from(`${keyId}.${hmacHex(derived.key, message)}`);
  const actual = Buffer.from(tag);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

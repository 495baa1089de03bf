import type { Random } from './ports.ts';

export type IdPrefix = 'ws' | 'sec' | 'key' | 'ses' | 'inv' | 'wh' | 'ver' | 'al' | 'fnd' | 'rsk';

/** The workspace of events that belong to no tenant. Its name cannot collide: tenants' ids start with `ws_`. */
export const PLATFORM_WORKSPACE = '_platform';

/** A fresh public id: the prefix, `_`, and 16 random bytes in hex. Unguessable, so that it leaks no order or count. */
export function newId(prefix: IdPrefix, random: Random): string {
  return `${prefix}_${Buffer.from(random.bytes(16)).toString('hex')}`;
}

export function isId(prefix: IdPrefix, text: string): boolean {
  return text.length === prefix.length + 33 && new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text);
}

/** A fresh UUID, version 4 (RFC 9562 section 5.4): 122 random bits. People have these ids. */
export function newUuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}

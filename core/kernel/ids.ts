import type { Random } from './ports.ts';

export type IdPrefix = 'ws' | 'sec' | 'key';

/** The workspace of events that belong to no tenant. Its name cannot collide: tenants' ids start with `ws_`. */
export const PLATFORM_WORKSPACE = '_platform';

/** A fresh public id: the prefix, `_`, and 16 random bytes in hex. Unguessable, so that it leaks no order or count. */
export function newId(prefix: IdPrefix, random: Random): string {
  return `${prefix}_${Buffer.from(random.bytes(16)).toString('hex')}`;
}

export function isId(prefix: IdPrefix, text: string): boolean {
  return text.length === prefix.length + 33 && new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text);
}

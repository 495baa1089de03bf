import type { KeyCall } from './key-calls.ts';

/** The vault's own roles, as ARNs. */
export interface VaultRoles {
  /** Those that may decrypt values. */
  readonly decrypting: ReadonlySet<string>;
  /** Those that may move values from key to key. */
  readonly rewrapping: ReadonlySet<string>;
}

/** Whether the call was made by a role that is there for such calls. */
export function mayMake(
  { decrypting, rewrapping }: VaultRoles,
  { operation, principal }: Pick<KeyCall, 'operation' | 'principal'>,
): boolean {
  return (operation === 'Decrypt' ? decrypting : rewrapping).has(principal);
}

import { createHmac, hkdfSync } from 'node:crypto';
import { KEY_BYTES } from './aead.ts';

/** The root secret: strings of at least 256 bits of entropy by key id, and which of them is current. */
export interface RootSecret {
  readonly current: string;
  readonly secrets: ReadonlyMap<string, string>;
}

/** Each purpose has keys of its own, so that a tag made for one never passes for another. */
export type KeyPurpose =
  | 'cursor'
  | 'idempotency'
  | 'csrf'
  | 'device'
  | 'webhook-signing'
  | 'webhook-credential';

export interface DerivedKey {
  /** The id of the root secret it comes from; stored with what it protects, so that the root secret can rotate. */
  readonly keyId: string;
  readonly key: Uint8Array;
}

/** Symmetric keys of 32 bytes, derived from the root secret with HKDF-SHA-256 (RFC 5869), one for each purpose. */
export interface DerivedKeys {
  current(purpose: KeyPurpose): Promise<DerivedKey>;
  /** The key of an earlier root secret, or `undefined` when that id is not (or no longer) known. */
  byId(purpose: KeyPurpose, keyId: string): Promise<DerivedKey | undefined>;
}

export function createDerivedKeys(rootSecret: () => Promise<RootSecret>): DerivedKeys {
  const derive = (root: RootSecret, purpose: KeyPurpose, keyId: string): DerivedKey | undefined => {
    const secret = root.secrets.get(keyId);
    if (secret === undefined) return undefined;
    return {
      keyId,
      key: new Uint8Array(hkdfSync('sha256', secret, '', `lockzero/v1/${purpose}`, KEY_BYTES)),
    };
  };
  return {
    async current(purpose) {
      const root = await rootSecret();
      const key = derive(root, purpose, root.current);
      if (key === undefined) throw new Error('The root secret names a current key that it does not hold.');
      return key;
    },
    async byId(purpose, keyId) {
      return derive(await rootSecret(), purpose, keyId);
    },
  };
}

/** HMAC-SHA-256 as lower-case hex. */
export function hmacHex(key: Uint8Array, message: string): string {
  return createHmac('sha256', key).update(message, 'utf8').digest('hex');
}

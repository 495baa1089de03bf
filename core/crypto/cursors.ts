import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import { VaultError } from '../kernel/errors.ts';
import type { Random } from '../kernel/ports.ts';
import { AeadError, NONCE_BYTES, open, seal, TAG_BYTES } from './aead.ts';
import type { DerivedKeys } from './derived-keys.ts';

/**
 * What a cursor is good for: one principal, one route, one set of filters. A cursor that anybody else presents, or
 * that goes with other filters, is refused like a forged one.
 */
export interface CursorBinding {
  readonly workspaceId: string;
  readonly principalId: string;
  readonly route: string;
  readonly filters: Json;
}

/** Positions in lists as opaque, authenticated text: `<key id>.<base64url of nonce, tag and ciphertext>`. */
export interface Cursors {
  seal(position: Json, binding: CursorBinding): Promise<string>;
  /** @throws VaultError `invalid_cursor` */
  open(cursor: string, binding: CursorBinding): Promise<Json>;
}

export function createCursors(keys: DerivedKeys, random: Random): Cursors {
  return {
    async seal(position, binding) {
      const { keyId, key } = await keys.current('cursor');
      const nonce = random.bytes(NONCE_BYTES);
      const { ciphertext, tag } = seal(key, nonce, aad(binding), Buffer.from(canonicalJson(position)));
      return `${keyId}.${Buffer.concat([nonce, tag, ciphertext]).toString('base64url')}`;
    },

    async open(cursor, binding) {
      const [keyId = '', body = ''] = cursor.split('.');
      const bytes = Buffer.from(body, 'base64url');
      const derived = await keys.byId('cursor', keyId);
      // The second test refuses the other spellings that a lenient base64 decoder takes for the same bytes.
      if (derived === undefined || `${keyId}.${bytes.toString('base64url')}` !== cursor)
        throw invalidCursor();
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw invalidCursor();
      const nonce = bytes.subarray(0, NONCE_BYTES);
      const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
      const ciphertext = bytes.subarray(NONCE_BYTES + TAG_BYTES);
      try {
        return JSON.parse(
          open(derived.key, nonce, aad(binding), { ciphertext, tag }).toString('utf8'),
        ) as Json;
      } catch (error) {
        if (error instanceof AeadError) throw invalidCursor();
        throw error;
      }
    },
  };
}

function aad({ workspaceId, principalId, route, filters }: CursorBinding): Uint8Array {
  return Buffer.from(canonicalJson({ workspaceId, principalId, route, filters }), 'utf8');
}

function invalidCursor(): VaultError {
  return new VaultError(
    'invalid_cursor',
    'The cursor is not one of this list. Use "nextCursor" as it was given, with the same filters, or start without it.',
  );
}

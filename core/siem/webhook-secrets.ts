import { hkdfSync } from 'node:crypto';
import { AeadError, KEY_BYTES, NONCE_BYTES, open, seal, TAG_BYTES } from '../crypto/aead.ts';
import type { DerivedKey, DerivedKeys } from '../crypto/derived-keys.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import type { Random } from '../kernel/ports.ts';
import type { SigningSecret, Webhook, WebhookRef } from './webhook.ts';

/** A secret cannot be derived or decrypted: its root secret is gone, or somebody changed what it is bound to. */
export class SecretUnavailable extends Error {
  override readonly name = 'SecretUnavailable';
}

/** A version of a webhook's signing secret, under the current root secret. */
export async function newSigningSecret(keys: DerivedKeys, version: number): Promise<SigningSecret> {
  return { version, keyId: (await keys.current('webhook-signing')).keyId };
}

/**
 * The key of 32 bytes that a signing secret stands for: derived anew each time, bound to the webhook and the version,
 * and stored nowhere.
 *
 * @throws SecretUnavailable
 */
export async function signingKey(
  keys: DerivedKeys,
  { workspaceId, id }: WebhookRef,
  { version, keyId }: SigningSecret,
): Promise<Uint8Array> {
  const derived = await keys.byId('webhook-signing', keyId);
  if (derived === undefined) throw new SecretUnavailable('The root secret of a signing secret is gone.');
  return bound(derived, `${workspaceId}/${id}/${version}`);
}

/** A signing key as receivers are given it: `whsec_` and base64 (Standard Webhooks, "Signature scheme"). */
export function signingSecretText(key: Uint8Array): string {
  return `whsec_${Buffer.from(key).toString('base64')}`;
}

type Receiver = Pick<Webhook, 'workspaceId' | 'id' | 'url'>;

/**
 * Encrypts what a receiver wants to see in a header: `<key id>.<base64url of nonce, tag and ciphertext>`. It is bound
 * to the webhook and to the origin of its URL: whoever changes where it goes cannot make the vault show it there.
 */
export async function sealCredential(
  { derivedKeys, random }: { readonly derivedKeys: DerivedKeys; readonly random: Random },
  receiver: Receiver,
  credential: string,
): Promise<string> {
  const derived = await derivedKeys.current('webhook-credential');
  const nonce = random.bytes(NONCE_BYTES);
  const plaintext = Buffer.from(credential, 'utf8');
  const { tag, ciphertext } = seal(credentialKey(derived, receiver), nonce, aad(receiver), plaintext);
  return `${derived.keyId}.${Buffer.concat([nonce, tag, ciphertext]).toString('base64url')}`;
}

/** @throws SecretUnavailable */
export async function openCredential(keys: DerivedKeys, receiver: Receiver, sealed: string): Promise<string> {
  const [keyId = '', body = ''] = sealed.split('.');
  const derived = await keys.byId('webhook-credential', keyId);
  if (derived === undefined) throw new SecretUnavailable('The root secret of a credential is gone.');
  const bytes = Buffer.from(body, 'base64url');
  const nonce = bytes.subarray(0, NONCE_BYTES);
  const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
  const ciphertext = bytes.subarray(NONCE_BYTES + TAG_BYTES);
  try {
    const key = credentialKey(derived, receiver);
    return open(key, nonce, aad(receiver), { tag, ciphertext }).toString('utf8');
  } catch (cause) {
    if (!(cause instanceof AeadError)) throw cause;
    throw new SecretUnavailable('A credential does not authenticate.', { cause });
  }
}

/** Each webhook has a key of its own, so that few values are ever encrypted with random nonces under one key. */
function credentialKey(derived: DerivedKey, { workspaceId, id }: WebhookRef): Uint8Array {
  return bound(derived, `${workspaceId}/${id}`);
}

function aad({ workspaceId, id, url }: Receiver): Uint8Array {
  const { origin } = new URL(url);
  return Buffer.from(canonicalJson({ f: '1', origin, webhookId: id, workspaceId }), 'utf8');
}

/** HKDF-SHA-256 (RFC 5869) once more, from the key of a purpose to the key of one thing. */
function bound({ key }: DerivedKey, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', info, KEY_BYTES));
}

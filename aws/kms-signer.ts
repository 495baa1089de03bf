import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import type { MessageSigner, PublicSigningKey } from '../core/crypto/message-signer.ts';
import { signingKeyId } from '../core/crypto/signing-key-id.ts';
import { unavailable } from '../core/kernel/errors.ts';
import { CLIENT_CONFIG } from './clients.ts';

const ALGORITHM = 'ED25519_SHA_512';
const SIGNATURE_BYTES = 64;

/** How long public keys are used before they are fetched again. A KMS key never changes its public key, but may be disabled. */
const REFRESH_MS = 60 * 60 * 1000;

/** What precedes the 32 bytes of a key in the DER of an Ed25519 SubjectPublicKeyInfo (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SPKI_BYTES = SPKI_PREFIX.length + 32;

/**
 * The `MessageSigner` port on AWS KMS, with keys of the spec ECC_NIST_EDWARDS25519.
 *
 * @param keyArns the first key signs, all of them verify. While one cannot be used, none is served: take a key out of
 * this list before it is disabled.
 * @param now milliseconds since the epoch.
 */
export function createKmsSigner(
  keyArns: readonly string[],
  client: Pick<KMSClient, 'send'> = new KMSClient(CLIENT_CONFIG),
  now: () => number = Date.now,
): MessageSigner {
  const [currentArn, ...earlierArns] = keyArns;
  if (currentArn === undefined) throw new Error('Signing needs the ARN of at least one KMS key.');

  let cached: { readonly keys: PublicKeys; readonly fetchedAt: number } | undefined;
  let fetching: Promise<PublicKeys> | undefined;

  const fetchKeys = async (): Promise<PublicKeys> => {
    const fetchedAt = now();
    const current = fetchPublicKey(client, currentArn);
    const earlier = earlierArns.map((arn) => fetchPublicKey(client, arn));
    const keys = await Promise.all([current, ...earlier]);
    cached = { keys, fetchedAt };
    return keys;
  };
  const publicKeys = (): Promise<PublicKeys> => {
    if (cached !== undefined && now() - cached.fetchedAt <= REFRESH_MS) return Promise.resolve(cached.keys);
    fetching ??= fetchKeys().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };

  return {
    publicKeys,
    async sign(message) {
      const command = new SignCommand({
        KeyId: currentArn,
        Message: message,
        MessageType: 'RAW',
        SigningAlgorithm: ALGORITHM,
      });
      const [[{ keyId }], reply] = await Promise.all([publicKeys(), translated(client.send(command))]);
      const { KeyId: usedKey, SigningAlgorithm: algorithm, Signature: signature } = reply;
      if (usedKey !== currentArn || algorithm !== ALGORITHM || signature?.length !== SIGNATURE_BYTES) {
        throw unexpectedReply();
      }
      return { keyId, signature };
    },
  };
}

type PublicKeys = readonly [PublicSigningKey, ...PublicSigningKey[]];

async function fetchPublicKey(client: Pick<KMSClient, 'send'>, arn: string): Promise<PublicSigningKey> {
  const reply = await translated(client.send(new GetPublicKeyCommand({ KeyId: arn })));
  const isSigningKey = reply.KeySpec === 'ECC_NIST_EDWARDS25519' && reply.KeyUsage === 'SIGN_VERIFY';
  const spki = Buffer.from(reply.PublicKey ?? []);
  const isEd25519 = spki.length === SPKI_BYTES && spki.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX);
  if (reply.KeyId !== arn || !isSigningKey || !isEd25519) throw unexpectedReply();
  const publicKey = Uint8Array.from(spki.subarray(SPKI_PREFIX.length));
  return { keyId: signingKeyId(publicKey), publicKey };
}

async function translated<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (cause) {
    throw unavailable('The signing key cannot be used right now. Try again.', cause);
  }
}

function unexpectedReply(): Error {
  return unavailable('The key service gave an unexpected answer, which was not used. Try again.');
}

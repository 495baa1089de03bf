import { AwsError } from '../stand-in.ts';
import type { Caller } from './caller.ts';
import { type EncryptionContext, invalidCiphertext, makerOf } from './ciphertext.ts';
import { type KeyRecord, type KeyRing, type KeyUsage, usable } from './keys.ts';
import { decide, defaultPolicy, readPolicy } from './policy.ts';

/** What is to be done with a key: the name of the permission without its `kms:`, and the encryption context. */
export interface Use {
  readonly action: string;
  readonly context?: EncryptionContext;
}

/** How AWS's refusals speak of a key that the caller named, and of one that only the ciphertext names. */
const NAMED = 'on this resource';
const UNNAMED = 'on the resource associated with this ciphertext';
/** Nobody is told what there is in another account. */
const FOREIGN =
  'because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access';

export type PermittedKeys = ReturnType<typeof keysFor>;

/** The key ring as one caller may use it: every key is found through its policy, before its state is told. */
export function keysFor(ring: KeyRing, caller: Caller) {
  const refuse = (action: string, target: string, reason: string) =>
    new AwsError(
      'AccessDeniedException',
      `User: ${caller.arn} is not authorized to perform: kms:${action} ${target} ${reason}`,
    );

  const permit = (key: KeyRecord, { action, context = {} }: Use, target = NAMED): KeyRecord => {
    const { accountId, principalArn } = caller;
    const request = { accountId, principalArn, action: `kms:${action}`, context };
    const decision = decide(readPolicy(policyOf(key)), request);
    if (decision === 'allowed') return key;
    throw refuse(action, target, key.accountId === accountId ? reasonOf(decision, action) : FOREIGN);
  };

  const keys = {
    caller,
    ring,

    /**
     * Finds a key, whatever its state, by its ARN or, among the caller's own, by its id. Throws NotFoundException, or
     * AccessDeniedException where the policy does not let the caller in.
     */
    find(idOrArn: string, use: Use): KeyRecord {
      const key = ring.withArn(idOrArn.startsWith('arn:') ? idOrArn : ring.arnOf(caller.accountId, idOrArn));
      if (key !== undefined) return permit(key, use);
      const [, , , , account = ''] = idOrArn.split(':');
      if (/^\d{12}$/.test(account) && account !== caller.accountId) throw refuse(use.action, NAMED, FOREIGN);
      throw new AwsError('NotFoundException', `Key '${idOrArn}' does not exist.`);
    },

    /** For the operations that nobody has on the key of another account, whatever its policy says. */
    findOwn(idOrArn: string, action: string): KeyRecord {
      const key = keys.find(idOrArn, { action });
      if (key.accountId === caller.accountId) return key;
      throw refuse(action, NAMED, FOREIGN);
    },

    /** As {@link find}, and throws as {@link usable} where the key cannot be used in this way. */
    findUsable: (idOrArn: string, usage: KeyUsage, use: Use): KeyRecord =>
      usable(keys.find(idOrArn, use), usage),

    /**
     * The key that made a blob, if it may be used. Throws InvalidCiphertextException where none did, and
     * IncorrectKeyException where it is not the one that the caller named.
     */
    findMaker(blob: Buffer, named: string | undefined, use: Use): KeyRecord {
      const expected = named === undefined ? undefined : keys.findUsable(named, 'ENCRYPT_DECRYPT', use);
      const maker = ring.withIdBytes(makerOf(blob));
      if (maker === undefined) throw invalidCiphertext();
      if (expected === undefined) {
        return usable(permit(maker, use, UNNAMED), 'ENCRYPT_DECRYPT');
      }
      if (expected.keyId === maker.keyId) return maker;
      throw new AwsError(
        'IncorrectKeyException',
        'The key given is not the one that encrypted the ciphertext.',
      );
    },
  };
  return keys;
}

/** JSON. */
export function policyOf({ policy, accountId }: KeyRecord): string {
  return policy ?? defaultPolicy(accountId);
}

function reasonOf(decision: 'denied' | 'unmentioned', action: string): string {
  return decision === 'denied'
    ? 'with an explicit deny in a resource-based policy'
    : `because no resource-based policy allows the kms:${action} action`;
}

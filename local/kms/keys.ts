import { randomBytes, randomUUID } from 'node:crypto';
import { openRecords } from '../json-records.ts';
import { AwsError } from '../stand-in.ts';
import { idBytesOf } from './ciphertext.ts';

export interface KeyRingOptions {
  /** Where the keys live, material included. */
  file: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  region: string;
}

/** The kinds of keys that this stand-in has, with the one use of each. */
export const KEY_USAGES = {
  SYMMETRIC_DEFAULT: 'ENCRYPT_DECRYPT',
  ECC_NIST_EDWARDS25519: 'SIGN_VERIFY',
} as const;

export type KeySpec = keyof typeof KEY_USAGES;
export type KeyUsage = (typeof KEY_USAGES)[KeySpec];

export interface KeyRecord {
  /** A UUID, or `mrk-` and 32 hex digits for a multi-Region key. */
  keyId: string;
  arn: string;
  accountId: string;
  description: string;
  keySpec: KeySpec;
  keyUsage: KeyUsage;
  createdAt: number;
  enabled: boolean;
  /** Set while the key is pending deletion; once this has passed, the key is gone. */
  deletionDate: number | null;
  /** JSON, as it was given. Absent for the default policy. */
  policy?: string;
  /** 32 random bytes, base64: an AES-256 key, or the seed of an Ed25519 key. */
  material: string;
}

/** What its maker decides of a key. */
export interface NewKey {
  readonly accountId: string;
  readonly keySpec: KeySpec;
  readonly description: string;
  readonly multiRegion: boolean;
  readonly policy: string | undefined;
}

export type KeyRing = ReturnType<typeof openKeyRing>;

/** The keys of all accounts in one region. */
export function openKeyRing({ file, now, region }: KeyRingOptions) {
  const records = openRecords<KeyRecord>(file, (key) => key.keyId);
  const existing = () =>
    records.all().filter(({ deletionDate }) => deletionDate === null || deletionDate > now());
  const arnOf = (accountId: string, keyId: string) => `arn:aws:kms:${region}:${accountId}:key/${keyId}`;

  return {
    now,
    region,
    arnOf,

    create({ accountId, keySpec, description, multiRegion, policy }: NewKey): KeyRecord {
      const keyId = multiRegion ? `mrk-${randomBytes(16).toString('hex')}` : randomUUID();
      const key: KeyRecord = {
        keyId,
        arn: arnOf(accountId, keyId),
        accountId,
        description,
        keySpec,
        keyUsage: KEY_USAGES[keySpec],
        createdAt: now(),
        enabled: true,
        deletionDate: null,
        ...(policy === undefined ? {} : { policy }),
        material: randomBytes(32).toString('base64'),
      };
      records.put(key);
      return key;
    },

    listOf: (accountId: string) => existing().filter((key) => key.accountId === accountId),

    save: (key: KeyRecord) => records.put(key),

    withArn: (arn: string) => existing().find((key) => key.arn === arn),

    /** The key that made a blob, which names it by the bytes of its id. */
    withIdBytes: (bytes: Buffer) => existing().find(({ keyId }) => idBytesOf(keyId).equals(bytes)),
  };
}

export function isMultiRegion({ keyId }: KeyRecord): boolean {
  return keyId.startsWith('mrk-');
}

export function keyState(key: KeyRecord): 'Enabled' | 'Disabled' | 'PendingDeletion' {
  if (key.deletionDate !== null) return 'PendingDeletion';
  return key.enabled ? 'Enabled' : 'Disabled';
}

/** Gives the key back. Throws KMSInvalidStateException where it waits for its deletion. */
export function notPendingDeletion(key: KeyRecord): KeyRecord {
  if (key.deletionDate === null) return key;
  throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
}

/**
 * Gives the key back. Throws DisabledException where its owner disabled it, KMSInvalidStateException where it waits for
 * its deletion, and InvalidKeyUsageException where it is for another use.
 */
export function usable(key: KeyRecord, usage: KeyUsage): KeyRecord {
  const { arn, enabled, keyUsage } = notPendingDeletion(key);
  if (!enabled) throw new AwsError('DisabledException', `${arn} is disabled.`);
  if (keyUsage === usage) return key;
  throw new AwsError('InvalidKeyUsageException', `${arn} is for ${keyUsage}, not for ${usage}.`);
}

/** 32 bytes. */
export function materialOf(key: KeyRecord): Buffer {
  return Buffer.from(key.material, 'base64');
}

import { randomBytes, randomUUID } from 'node:crypto';
import { openRecords } from '../json-records.ts';
import { AwsError } from '../stand-in.ts';

export interface KmsOptions {
  /** Where the keys live, material included. */
  file: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  region: string;
  accountId: string;
}

/** The kinds of keys that this stand-in has, with the one use of each. */
export const KEY_USAGES = {
  SYMMETRIC_DEFAULT: 'ENCRYPT_DECRYPT',
  ECC_NIST_EDWARDS25519: 'SIGN_VERIFY',
} as const;

export type KeySpec = keyof typeof KEY_USAGES;
export type KeyUsage = (typeof KEY_USAGES)[KeySpec];

export interface KeyRecord {
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
  /** 32 random bytes, base64: an AES-256 key, or the seed of an Ed25519 key. */
  material: string;
}

export type KeyRing = ReturnType<typeof openKeyRing>;

export function openKeyRing({ file, now, region, accountId }: KmsOptions) {
  const records = openRecords<KeyRecord>(file, (key) => key.keyId);
  const exists = (key: KeyRecord) => key.deletionDate === null || key.deletionDate > now();

  const ring = {
    create(keySpec: KeySpec, description: string): KeyRecord {
      const keyId = randomUUID();
      const key: KeyRecord = {
        keyId,
        arn: `arn:aws:kms:${region}:${accountId}:key/${keyId}`,
        accountId,
        description,
        keySpec,
        keyUsage: KEY_USAGES[keySpec],
        createdAt: now(),
        enabled: true,
        deletionDate: null,
        material: randomBytes(32).toString('base64'),
      };
      records.put(key);
      return key;
    },

    list: () => records.all().filter(exists),

    save: (key: KeyRecord) => records.put(key),

    /** Finds a key by id or ARN, whatever its state. Throws NotFoundException. */
    find(idOrArn: string): KeyRecord {
      const key = records.get(idOrArn.slice(idOrArn.lastIndexOf('/') + 1));
      if (key !== undefined && exists(key) && (idOrArn === key.keyId || idOrArn === key.arn)) return key;
      throw new AwsError('NotFoundException', `Key '${idOrArn}' does not exist.`);
    },

    /** Throws KMSInvalidStateException where the key waits for its deletion. */
    findNotPendingDeletion(idOrArn: string): KeyRecord {
      const key = ring.find(idOrArn);
      if (key.deletionDate === null) return key;
      throw new AwsError('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    },

    /**
     * A key that may be used in this way. Throws DisabledException where its owner disabled it, and
     * InvalidKeyUsageException where it is for another use.
     */
    findUsable(idOrArn: string, usage: KeyUsage): KeyRecord {
      const key = ring.findNotPendingDeletion(idOrArn);
      if (!key.enabled) throw new AwsError('DisabledException', `${key.arn} is disabled.`);
      if (key.keyUsage === usage) return key;
      throw new AwsError('InvalidKeyUsageException', `${key.arn} is for ${key.keyUsage}, not for ${usage}.`);
    },
  };
  return ring;
}

export function keyState(key: KeyRecord): 'Enabled' | 'Disabled' | 'PendingDeletion' {
  if (key.deletionDate !== null) return 'PendingDeletion';
  return key.enabled ? 'Enabled' : 'Disabled';
}

/** 32 bytes. */
export function materialOf(key: KeyRecord): Buffer {
  return Buffer.from(key.material, 'base64');
}

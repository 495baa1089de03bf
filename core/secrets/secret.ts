import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';
import { DAY_MS } from '../kernel/timestamps.ts';

/** Limits of what a secret may be. Sizes of values are in bytes of UTF-8. */
export const MAX_VALUE_BYTES = 64 * 1024;
export const MAX_DESCRIPTION_LENGTH = 1_024;
export const MAX_TAGS = 20;
export const MAX_TAG_LENGTH = 128;
/** How long a deleted secret can be restored. */
export const RECOVERY_WINDOW_MS = 7 * DAY_MS;

/** A secret's metadata. Its values are versions of their own, so that lists never touch a ciphertext. */
const secretSchema = z.strictObject({
  kind: z.literal('secret'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  namespace: z.string(),
  name: z.string(),
  description: z.string().optional(),
  tags: z.array(z.string()),
  /** Controlled unclassified information. */
  isCUI: z.boolean(),
  /** Nothing uses its value: whoever opens it raises an alert. No view shows this. */
  decoy: z.literal(true).optional(),
  currentVersion: z.int().min(1),
  createdAt: z.string(),
  createdBy: z.string(),
  updatedAt: z.string(),
  updatedBy: z.string(),
  /** When the current value was written. */
  valueUpdatedAt: z.string(),
  deletedAt: z.string().optional(),
  /** Set once its versions are being destroyed: no way back. */
  purging: z.literal(true).optional(),
});

export type Secret = z.infer<typeof secretSchema>;

export const secretKind: Kind<Secret> = {
  name: 'secret',
  schema: secretSchema,
  listing: ({ workspaceId, namespace, name, deletedAt, id }) =>
    deletedAt === undefined
      ? { list: secretList(workspaceId), key: `${namespace}/${name}` }
      : { list: deletedSecretList(workspaceId), key: `${deletedAt}#${id}` },
};

/** By namespace and name. */
export function secretList(workspaceId: string): string {
  return `${workspaceId}#secrets`;
}

/** By the time of their deletion. */
export function deletedSecretList(workspaceId: string): string {
  return `${workspaceId}#deletedSecrets`;
}

const binary = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

/**
 * One value of a secret, sealed under a data key of its own. Once written, nothing of it ever changes but which key wraps
 * the data key: each time that does, the revision rises.
 */
const secretVersionSchema = z
  .strictObject({
    kind: z.literal('secretVersion'),
    workspaceId: z.string(),
    id: z.string(),
    revision: z.int().min(1),
    secretId: z.string(),
    version: z.int().min(1),
    format: z.literal('1'),
    ciphertext: binary,
    nonce: binary,
    tag: binary,
    wrappedKey: binary,
    keyArn: z.string(),
    createdAt: z.string(),
    createdBy: z.string(),
  })
  // An id that says otherwise than the fields could pass one secret's value off as another's.
  .refine(({ id, secretId, version }) => id === versionId(secretId, version));

export type SecretVersion = z.infer<typeof secretVersionSchema>;

const VERSION_DIGITS = 10;

export const secretVersionKind: Kind<SecretVersion> = {
  name: 'secretVersion',
  schema: secretVersionSchema,
  childOf: (id) => {
    const [parentId = '', version = ''] = id.split('.');
    return { parentId, order: version.padStart(VERSION_DIGITS, '0') };
  },
};

export function versionId(secretId: string, version: number): string {
  return `${secretId}.${version}`;
}

/** Reserves a name within a namespace, and finds the secret by it. */
const secretNameSchema = z.strictObject({
  kind: z.literal('secretName'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  secretId: z.string(),
});

export type SecretName = z.infer<typeof secretNameSchema>;

export const secretNameKind: Kind<SecretName> = {
  name: 'secretName',
  schema: secretNameSchema,
  childOf: (id) => {
    const [parentId = '', order = ''] = id.split('/');
    return { parentId, order };
  },
};

export function nameId(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

import { type ApiKey, apiKeyKind } from '../../core/identity/api-key.ts';
import { type Change, create } from '../../core/kernel/entity.ts';
import { type Namespace, namespaceKind } from '../../core/namespaces/namespace.ts';
import {
  nameId,
  type Secret,
  type SecretName,
  type SecretVersion,
  secretKind,
  secretNameKind,
  secretVersionKind,
  versionId,
} from '../../core/secrets/secret.ts';

/** Real entities with made-up content, for tests of the tables that hold them. */

type Created<E> = Change & { readonly entity: E };

const AT = '2026-01-01T00:00:00.000Z';
const BY = 'key_1';

export function sampleSecret(
  workspaceId: string,
  id: string,
  fields: Partial<Pick<Secret, 'namespace' | 'name' | 'description' | 'tags' | 'deletedAt'>> = {},
): Created<Secret> {
  return create(secretKind, {
    workspaceId,
    id,
    namespace: 'prod',
    name: id,
    tags: [],
    isCUI: false,
    currentVersion: 1,
    createdAt: AT,
    createdBy: BY,
    updatedAt: AT,
    updatedBy: BY,
    valueUpdatedAt: AT,
    ...fields,
  });
}

export function sampleVersion(
  workspaceId: string,
  secretId: string,
  version: number,
  ciphertext: Uint8Array = Uint8Array.of(0, 255, version),
): Created<SecretVersion> {
  return create(secretVersionKind, {
    workspaceId,
    id: versionId(secretId, version),
    secretId,
    version,
    format: '1',
    ciphertext,
    nonce: new Uint8Array(12),
    tag: new Uint8Array(16),
    wrappedKey: Uint8Array.of(1, 2, 3),
    keyArn: 'arn:aws:kms:us-east-1:000000000000:key/values',
    createdAt: AT,
    createdBy: BY,
  });
}

export function sampleName(
  workspaceId: string,
  namespace: string,
  name: string,
  secretId: string,
): Created<SecretName> {
  return create(secretNameKind, { workspaceId, id: nameId(namespace, name), secretId });
}

export function sampleNamespace(workspaceId: string, id: string): Created<Namespace> {
  return create(namespaceKind, { workspaceId, id, state: 'open', createdAt: AT, createdBy: BY });
}

export function sampleApiKey(workspaceId: string, id: string): Created<ApiKey> {
  return create(apiKeyKind, {
    workspaceId,
    id,
    name: 'ci',
    role: 'viewer',
    namespaces: ['*'],
    tokenHash: 'f'.repeat(64),
    honeypot: false,
    createdAt: AT,
    createdBy: BY,
  });
}

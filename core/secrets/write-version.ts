import { sealValue } from '../crypto/envelope.ts';
import { type Change, create } from '../kernel/entity.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { ValueParts } from './parts.ts';
import { type SecretVersion, secretVersionKind, versionId } from './secret.ts';

/** Seals a value as one version of a secret under this key, and gives the change that stores it. */
export async function sealedVersion(
  parts: ValueParts,
  keyArn: string,
  name: { readonly workspaceId: string; readonly secretId: string; readonly version: number },
  value: string,
  createdBy: string,
): Promise<Change & { readonly entity: SecretVersion }> {
  const plaintext = Buffer.from(value, 'utf8');
  try {
    const envelope = await sealValue(parts, keyArn, name, plaintext);
    return create(secretVersionKind, {
      ...name,
      ...envelope,
      id: versionId(name.secretId, name.version),
      createdAt: timestamp(parts.clock.now()),
      createdBy,
    });
  } finally {
    plaintext.fill(0);
  }
}

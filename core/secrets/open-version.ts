import { originOf, type RequestContext } from '../access/principal.ts';
import type { Action, AuditEvent } from '../audit/event.ts';
import { openValue } from '../crypto/envelope.ts';
import { VaultError } from '../kernel/errors.ts';
import type { ValueParts } from './parts.ts';
import type { Secret, SecretVersion } from './secret.ts';

type OpenParts = Pick<ValueParts, 'trail' | 'keys'>;

export interface OpenedVersion {
  readonly secret: Secret;
  readonly version: SecretVersion;
}

/**
 * Records that a value is opened, then opens it. In this order: a value that left the vault always has its row, and
 * every `kms:Decrypt` finds one. If the key service then fails, a second row says that nothing was revealed.
 */
export async function openRecorded(
  parts: OpenParts,
  context: RequestContext,
  opened: OpenedVersion,
  action: Action,
): Promise<string> {
  await parts.trail.commit(originOf(context), [openEvent(opened, action)]);
  try {
    return await decrypt(parts, opened);
  } catch (error) {
    await parts.trail.commit(originOf(context), [openFailed(opened, action, error)]);
    throw error;
  }
}

export function openEvent({ secret, version }: OpenedVersion, action: Action): AuditEvent {
  return {
    action,
    entity: { type: 'secret', id: secret.id },
    result: 'success',
    detail: { version: String(version.version) },
  };
}

export function openFailed(opened: OpenedVersion, action: Action, error: unknown): AuditEvent {
  const code = error instanceof VaultError ? error.code : 'internal';
  return {
    ...openEvent(opened, action),
    result: 'failure',
    detail: { version: String(opened.version.version), code },
  };
}

/** The value as text; the bytes it was decrypted into are zeroed. */
export async function decrypt(
  { keys }: Pick<ValueParts, 'keys'>,
  { secret, version }: OpenedVersion,
): Promise<string> {
  // Named by the secret that was asked for, never by what the stored version says of itself.
  const name = { workspaceId: secret.workspaceId, secretId: secret.id, version: version.version };
  const plaintext = await openValue(keys, name, version);
  try {
    return plaintext.toString('utf8');
  } finally {
    plaintext.fill(0);
  }
}

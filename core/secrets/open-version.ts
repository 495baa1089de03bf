import { originOf, type RequestContext } from '../access/principal.ts';
import type { Action, AuditEvent, RowPosition } from '../audit/event.ts';
import { openValue } from '../crypto/envelope.ts';
import { attemptsOf, decryptRetried } from '../crypto/retried-decrypt.ts';
import { recordedEvent, tripwire } from '../detection/tripwires.ts';
import { VaultError } from '../kernel/errors.ts';
import type { ValueParts } from './parts.ts';
import type { Secret, SecretVersion } from './secret.ts';

type OpenParts = Pick<ValueParts, 'trail' | 'keys' | 'alerts'>;

export interface OpenedVersion {
  readonly secret: Secret;
  readonly version: SecretVersion;
}

/**
 * Records that a value is opened, then opens it. In this order: a value that left the vault always has its row, and
 * every `kms:Decrypt` finds one. If the key service then fails, a second row says that nothing was revealed; if it had to
 * be asked more than once, one says so. A value whose rows cannot be written stays in the vault. Of a decoy, an alert is
 * raised meanwhile.
 */
export async function openRecorded(
  parts: OpenParts,
  context: RequestContext,
  opened: OpenedVersion,
  action: Action,
): Promise<string> {
  const event = openEvent(opened, action);
  const [position] = await parts.trail.commit(originOf(context), [event]);
  const telling = tellOfDecoy(parts, context, opened, event, position);
  try {
    return await decryptRecorded(parts, context, opened, action);
  } finally {
    await telling;
  }
}

async function decryptRecorded(
  parts: OpenParts,
  context: RequestContext,
  opened: OpenedVersion,
  action: Action,
): Promise<string> {
  const decrypted = await decrypt(parts, opened).catch(async (error) => {
    await parts.trail.commit(originOf(context), [openFailed(opened, action, error)]);
    throw error;
  });
  const retried = openRetried(opened, decrypted.attempts);
  if (retried.length > 0) await parts.trail.commit(originOf(context), retried);
  return decrypted.value;
}

/** Raises the alert of an opened decoy, which names the row at `position`. Like all alerts, this never fails. */
export async function tellOfDecoy(
  { alerts }: Pick<ValueParts, 'alerts'>,
  context: RequestContext,
  { secret }: OpenedVersion,
  event: AuditEvent,
  position: RowPosition | undefined,
): Promise<void> {
  if (!secret.decoy || position === undefined) return;
  const alert = tripwire(recordedEvent(originOf(context), event, position));
  if (alert !== undefined) await alerts.raise(alert);
}

export function openEvent({ secret, version }: OpenedVersion, action: Action): AuditEvent {
  return {
    action,
    entity: { type: 'secret', id: secret.id },
    result: 'success',
    detail: {
      version: String(version.version),
      namespace: secret.namespace,
      ...(secret.decoy ? { decoy: 'true' } : {}),
    },
  };
}

export function openFailed(opened: OpenedVersion, action: Action, error: unknown): AuditEvent {
  const code = error instanceof VaultError ? error.code : 'internal';
  const event = openEvent(opened, action);
  // Whose owner took it away, or whose region is in trouble: the alert of this row names the key.
  const key = code === 'key_unavailable' ? { keyArn: opened.version.keyArn } : {};
  return { ...event, result: 'failure', detail: { ...event.detail, code, ...key, ...attemptsOf(error) } };
}

/** At most one event: that the key service had to be asked more than once. */
export function openRetried({ secret, version }: OpenedVersion, attempts: number): readonly AuditEvent[] {
  return decryptRetried({ type: 'secret', id: secret.id }, version.version, attempts);
}

export interface DecryptedText {
  readonly value: string;
  /** How often the key service was asked. */
  readonly attempts: number;
}

/** The value as text; the bytes it was decrypted into are zeroed. */
export async function decrypt(
  { keys }: { readonly keys: Pick<ValueParts['keys'], 'decrypt'> },
  { secret, version }: OpenedVersion,
): Promise<DecryptedText> {
  // Named by the secret that was asked for, never by what the stored version says of itself.
  const name = { workspaceId: secret.workspaceId, secretId: secret.id, version: version.version };
  const { plaintext, attempts } = await openValue(keys, name, version);
  try {
    return { value: plaintext.toString('utf8'), attempts };
  } finally {
    plaintext.fill(0);
  }
}

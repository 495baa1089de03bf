import { originOf, type RequestContext } from '../access/principal.ts';
import type { AuditEvent } from '../audit/event.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { encryptionContext } from '../crypto/envelope.ts';
import { type EncryptionContext, type KeyService, OpeningFailed } from '../crypto/key-service.ts';
import { decryptRetried } from '../crypto/retried-decrypt.ts';
import { unavailable, VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import type { Clock, Random } from '../kernel/ports.ts';
import type { KeyInspector } from './key-inspector.ts';

export interface ProofParts {
  readonly trail: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  readonly keys: KeyService;
  readonly keyInspector: KeyInspector;
}

/** Trying a key on a value that nobody has: its context is of a secret that does not exist. */
export interface Proof {
  readonly context: EncryptionContext;
  readonly keys: KeyService;
  readonly inspector: KeyInspector;
}

/** No call is begun after this: the caller waits behind API Gateway, and both rows want their time. */
const MAX_DURATION_MS = 10_000;
const VERSION = 1;

/**
 * Tries a key. Its row comes before the first call: the reconciliation finds the reason of each decryption there, of
 * which at most three may be made, and of repeated ones in a row that follows.
 *
 * @param further events that are recorded with it.
 * @throws VaultError `unavailable` when a call would begin more than ten seconds after the first.
 */
export async function tryKey<T>(
  parts: ProofParts,
  context: RequestContext,
  keyArn: string,
  attempt: (proof: Proof) => Promise<T>,
  further: readonly AuditEvent[] = [],
): Promise<T> {
  const { workspaceId } = context.principal;
  const secretId = newId('sec', parts.random);
  const origin = originOf(context);
  const started: AuditEvent = {
    action: 'encryption_key.proof_started',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
    detail: { keyArn, proof: secretId, version: String(VERSION) },
  };
  await parts.trail.commit(origin, [started, ...further]);
  const limits = limited(parts);
  const proof = {
    context: encryptionContext({ workspaceId, secretId, version: VERSION }),
    keys: limits.keys,
    inspector: limits.inspector,
  };
  const [outcome] = await Promise.allSettled([attempt(proof)]);
  const retried = decryptRetried({ type: 'encryption_key', id: secretId }, VERSION, 1 + limits.retries());
  if (retried.length > 0) await parts.trail.commit(origin, retried);
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}

/** Both services within the time that a proof has; counts how often decryptions were asked for beyond once each. */
function limited({ clock, keys, keyInspector }: ProofParts) {
  const deadline = clock.now() + MAX_DURATION_MS;
  let retries = 0;
  const inTime = <T>(call: () => Promise<T>): Promise<T> =>
    clock.now() < deadline
      ? call()
      : Promise.reject(unavailable('The key service takes too long. Nothing was changed. Try again.'));
  const timed: KeyService = {
    generateDataKey: (keyArn, context) => inTime(() => keys.generateDataKey(keyArn, context)),
    reEncrypt: (wrapped, between, context) => inTime(() => keys.reEncrypt(wrapped, between, context)),
    decrypt: async (wrapped, keyArn, context) => {
      try {
        const opened = await inTime(() => keys.decrypt(wrapped, keyArn, context));
        retries += opened.attempts - 1;
        return opened;
      } catch (error) {
        if (error instanceof OpeningFailed) retries += error.attempts - 1;
        throw error;
      }
    },
  };
  const inspector: KeyInspector = {
    describe: (keyArn) => inTime(() => keyInspector.describe(keyArn)),
    mayGenerate: (keyArn, context) => inTime(() => keyInspector.mayGenerate(keyArn, context)),
  };
  return { keys: timed, inspector, retries: () => retries };
}

/** What the key service gives; nothing where the key does not let it. That the service is down is no such answer. */
export async function unlessRefused<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof VaultError && REFUSALS.has(error.code)) return undefined;
    throw error;
  }
}

/** `internal`: it gave something, and not what was wrapped. */
const REFUSALS: ReadonlySet<string> = new Set(['key_unavailable', 'internal']);

/** Whether a key makes a data key, and opens it again. */
export async function opensWhatItWraps(
  { keys, context }: Proof,
  keyArn: string,
): Promise<'yes' | 'wraps only' | 'no'> {
  const made = await unlessRefused(keys.generateDataKey(keyArn, context));
  if (made === undefined) return 'no';
  try {
    return (await isWrapped(keys, made.wrapped, keyArn, context, made.plaintext)) ? 'yes' : 'wraps only';
  } finally {
    made.plaintext.fill(0);
  }
}

/** Whether what a key opens is this data key. */
export async function isWrapped(
  keys: KeyService,
  wrapped: Uint8Array,
  keyArn: string,
  context: EncryptionContext,
  dataKey: Uint8Array,
): Promise<boolean> {
  const opened = await unlessRefused(keys.decrypt(wrapped, keyArn, context));
  if (opened === undefined) return false;
  const isSame = Buffer.compare(opened.plaintext, dataKey) === 0;
  opened.plaintext.fill(0);
  return isSame;
}

import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { openValue } from '../crypto/envelope.ts';
import { attemptsOf, decryptRetried } from '../crypto/retried-decrypt.ts';
import { concurrently } from '../kernel/concurrently.ts';
import { type ErrorCode, VaultError } from '../kernel/errors.ts';
import {
  type Secret,
  type SecretVersion,
  secretKind,
  secretVersionKind,
  versionId,
} from '../secrets/secret.ts';
import type { Sample } from './choose-samples.ts';
import { RESTORER, type RestoreParts } from './restore-parts.ts';

/** Samples opened side by side. */
const WIDTH = 4;

export interface OpenedSamples {
  readonly opened: number;
  /** Samples that lie under a key which is none of the deployment's: nobody knows whether they would open. */
  readonly leftOut: number;
  /** Told by id and code only. */
  readonly failures: readonly {
    readonly workspaceId: string;
    readonly id: string;
    readonly code: ErrorCode;
  }[];
}

type Parts = Pick<RestoreParts, 'store' | 'trail' | 'keys' | 'deploymentKeys'>;

/** What became of a sample, or why it could not be opened. */
type Outcome = 'opened' | 'left out' | { readonly failed: ErrorCode };

/**
 * Opens values to see that the keys are there and fit. Each opening is recorded before the key service is asked, like any
 * other; the value is zeroed as soon as it is known to be whole, and never leaves this function.
 *
 * A version that names another key than the deployment's is left out and counted, whoever made it name that key: what a
 * customer's key wraps is not for whoever restores to open.
 *
 * @throws VaultError `unavailable` when a row cannot be written.
 */
export async function openSamples(parts: Parts, samples: readonly Sample[]): Promise<OpenedSamples> {
  const outcomes = await concurrently(samples, WIDTH, (sample) => openSample(parts, sample));
  const failures = samples.flatMap(({ workspaceId, id }, index) => {
    const outcome = outcomes[index];
    return typeof outcome === 'object' ? [{ workspaceId, id, code: outcome.failed }] : [];
  });
  const count = (sought: Outcome) => outcomes.filter((outcome) => outcome === sought).length;
  return { opened: count('opened'), leftOut: count('left out'), failures };
}

async function openSample(
  { store, trail, keys, deploymentKeys }: Parts,
  { workspaceId, id }: Sample,
): Promise<Outcome> {
  const secret = await store.get(secretKind, workspaceId, id);
  const current = secret && versionId(id, secret.currentVersion);
  const version = current && (await store.get(secretVersionKind, workspaceId, current));
  if (secret === undefined || version === undefined || version === '') return { failed: 'not_found' };
  if (![deploymentKeys.values, ...deploymentKeys.allOwn].includes(version.keyArn)) return 'left out';
  const origin = systemOrigin(workspaceId, RESTORER);
  await trail.commit(origin, [sampled(secret, version)]);
  const name = { workspaceId, secretId: id, version: version.version };
  try {
    const { plaintext, attempts } = await openValue(keys, name, version);
    plaintext.fill(0);
    const retried = decryptRetried({ type: 'secret', id }, version.version, attempts);
    if (retried.length > 0) await trail.commit(origin, retried);
    return 'opened';
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const { code } = error;
    await trail.commit(origin, [sampled(secret, version, { code, ...attemptsOf(error) })]);
    return { failed: code };
  }
}

function sampled(
  { id, namespace }: Secret,
  { version }: SecretVersion,
  failure?: { readonly [key: string]: string },
): AuditEvent {
  return {
    action: 'secret.sampled',
    entity: { type: 'secret', id },
    result: failure === undefined ? 'success' : 'failure',
    detail: { version: String(version), namespace, ...failure },
  };
}

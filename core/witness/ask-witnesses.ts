import type { Alerts } from '../detection/alert.ts';
import type { Cosigner, SealedCheckpoint, SealedLog } from '../seal/cosigner.ts';
import { verifyCosignature } from '../transparency/cosignature.ts';
import type { Hash } from '../transparency/merkle.ts';
import { parseNote, parseVerifierKey, type VerifierKey } from '../transparency/signed-note.ts';

/** A witness that a deployment asks, as the operator configures it. */
export interface Witness {
  /** The submission prefix: `add-checkpoint` is posted below it. */
  readonly url: string;
  /** A C2SP verifier key of type 0x04. */
  readonly verifierKey: string;
}

/**
 * Posts to a witness.
 *
 * @throws VaultError `unavailable` when there is no answer in time.
 */
export interface WitnessClient {
  addCheckpoint(url: string, body: string): Promise<{ readonly status: number; readonly body: string }>;
}

interface Parts {
  readonly witnesses: readonly Witness[];
  readonly client: WitnessClient;
  readonly alerts: Alerts;
}

/** Once with the size that we believe, once with the one that the witness names. */
const MAX_TRIES = 3;

/**
 * Asks every witness for its cosignature. A witness that is away keeps nothing from being sealed: its cosignature is
 * missing from this checkpoint, and the next one makes up for it. One that refuses the log as forked or shrunk raises a
 * critical alert.
 */
export function createCosigner(parts: Parts): Cosigner {
  return {
    async cosign(checkpoint, log) {
      const lines = await Promise.all(
        parts.witnesses.map(async (witness) => {
          try {
            return await askOne(parts, witness, checkpoint, log);
          } catch (error) {
            await tell(parts.alerts, 'warning', checkpoint.workspaceId, witness, {
              causeName: error instanceof Error ? error.name : '',
            });
            return undefined;
          }
        }),
      );
      return lines.filter((line) => line !== undefined);
    },
  };
}

async function askOne(
  { client, alerts }: Parts,
  witness: Witness,
  checkpoint: SealedCheckpoint,
  log: SealedLog,
): Promise<string | undefined> {
  const key = parseVerifierKey(witness.verifierKey);
  // A log that the witness never saw begins at 0; where that is wrong, the witness names the size that it knows.
  let oldSize = checkpoint.previousSize;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const proof = oldSize === 0 ? [] : await log.prove(oldSize, checkpoint.size);
    const { status, body } = await client.addCheckpoint(
      witness.url,
      submission(oldSize, proof, checkpoint.note),
    );
    if (status === 200) return cosignatureOf(key, checkpoint.note, body);
    const known = status === 409 ? sizeIn(body) : undefined;
    // Another sealer was quicker, and its checkpoint has the cosignature.
    if (known !== undefined && known > checkpoint.size && known <= (await log.newestSize())) return undefined;
    if (known === undefined || known > checkpoint.size) {
      // It has seen a larger tree than we ever sealed, or does not believe that ours grew out of the one it saw.
      const tier = status === 409 || status === 422 ? 'critical' : 'warning';
      await tell(alerts, tier, checkpoint.workspaceId, witness, {
        status: String(status),
        size: String(checkpoint.size),
        ...(known === undefined ? {} : { witnessedSize: String(known) }),
      });
      return undefined;
    }
    oldSize = known;
  }
  return undefined;
}

function submission(oldSize: number, proof: readonly Hash[], note: string): string {
  const lines = proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  return `old ${oldSize}\n${lines.join('')}\n${note}`;
}

function sizeIn(body: string): number | undefined {
  const size = /^(0|[1-9]\d{0,15})\n$/.exec(body)?.[1];
  return size === undefined ? undefined : Number(size);
}

/** The witness's own line of an answer, checked; the lines of others are left out. */
function cosignatureOf(key: VerifierKey, note: string, body: string): string | undefined {
  const cosigned = `${note}${body}`;
  const isOwn = parseNote(cosigned).signatures.some(({ name }) => name === key.name);
  if (!isOwn) return undefined;
  verifyCosignature(cosigned, key);
  return body
    .split('\n')
    .filter((line) => line.startsWith(`— ${key.name} `))
    .map((line) => `${line}\n`)
    .join('');
}

function tell(
  alerts: Alerts,
  tier: 'critical' | 'warning',
  workspaceId: string,
  { url }: Witness,
  detail: { readonly [key: string]: string },
): Promise<void> {
  return alerts.raise({
    tier,
    kind: tier === 'critical' ? 'witness_refused' : 'job_failed',
    workspaceId,
    subject: `witness ${new URL(url).host}`,
    detail,
  });
}

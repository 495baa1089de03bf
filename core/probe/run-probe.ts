import { RefusedChanges } from '../audit/append.ts';
import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import type { Alerts } from '../detection/alert.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Random } from '../kernel/ports.ts';
import { destroySecret } from '../secrets/purge-secret.ts';
import { deletedSecretList, secretKind, secretList } from '../secrets/secret.ts';
import { CANARY_WORKSPACE, type CanaryParts, openCanary, PROBE_JOB } from './canary.ts';
import { createCanaryKey, KEY_LIFE_MS, removeCanaryKey, removeLeftKeys } from './canary-key.ts';
import type { ProbeClient } from './probe-client.ts';
import { PROBE_STEPS, probeSteps, StepFailed } from './probe-steps.ts';

export interface ProbeParts extends CanaryParts {
  readonly client: ProbeClient;
  readonly random: Random;
  readonly alerts: Alerts;
}

export interface ProbeOutcome {
  /** Milliseconds that each step took which succeeded. */
  readonly steps: { readonly [step: string]: number };
  /** Where it ended, if it did not come to its end. */
  readonly failure?: { readonly step: string; readonly reason: string };
}

/** Left behind by runs that died; so many are cleared away in one run, and none after this time. */
const MAX_LEFT = 20;
const CLEARING_MS = 10_000;
/** The function lives for two minutes: what takes half of that is a failure that must be told before. */
const STEPS_MS = 60_000;

/**
 * Whether the vault does what it is there for, from outside: with a key of its own in a workspace of its own. What ends a
 * run early is told at once. The event says how long each step took.
 *
 * @throws VaultError `unavailable` when not even that could be written down.
 */
export async function runProbe(parts: ProbeParts): Promise<ProbeOutcome> {
  const outcome = await probe(parts);
  const { failure } = outcome;
  if (failure !== undefined) {
    await parts.alerts.raise({
      tier: 'critical',
      kind: 'probe_failed',
      workspaceId: PLATFORM_WORKSPACE,
      subject: failure.step,
      seen: `The health probe did not come through the step ${failure.step}: ${failure.reason}.`,
      usual: 'A secret is written, revealed and destroyed, and the trail verifies.',
      detail: { job: PROBE_JOB, ...failure },
    });
  }
  await parts.trail.commit(systemOrigin(PLATFORM_WORKSPACE, PROBE_JOB), [completed(outcome)]);
  return outcome;
}

function completed({ steps, failure }: ProbeOutcome): AuditEvent {
  const times = Object.entries(steps).map(([step, time]) => [`${step}Ms`, String(time)]);
  return {
    action: 'probe.completed',
    entity: { type: 'workspace', id: CANARY_WORKSPACE },
    result: failure === undefined ? 'success' : 'failure',
    detail: { ...Object.fromEntries(times), ...failure },
  };
}

async function probe(parts: ProbeParts): Promise<ProbeOutcome> {
  const steps: { [step: string]: number } = {};
  // What the vault needs before anybody can ask it for anything.
  let step: string = 'prepare';
  try {
    await openCanary(parts);
    await clearAway(parts);
    const { key, token } = await createCanaryKey(parts);
    const begun = parts.clock.now();
    let started = begun;
    try {
      step = PROBE_STEPS[0];
      for await (const done of probeSteps(parts, token)) {
        steps[done] = parts.clock.now() - started;
        started = parts.clock.now();
        if (started - begun > STEPS_MS) throw new StepFailed('too_slow');
        step = PROBE_STEPS[PROBE_STEPS.indexOf(done) + 1] ?? 'revoke';
      }
    } finally {
      // If this fails, too, the key ends by itself.
      await removeCanaryKey(parts, key).catch((error) => {
        if (step === 'revoke') throw error;
      });
    }
    return { steps };
  } catch (error) {
    return { steps, failure: { step, reason: reasonOf(error) } };
  }
}

/** Destroys what runs left behind that died: what is older than any run gets. */
async function clearAway(parts: ProbeParts): Promise<void> {
  const until = parts.clock.now() + CLEARING_MS;
  await removeLeftKeys(parts, MAX_LEFT, until);
  for (const list of [secretList(CANARY_WORKSPACE), deletedSecretList(CANARY_WORKSPACE)]) {
    const { items } = await parts.store.list(secretKind, { list, limit: MAX_LEFT });
    for (const { id, createdAt } of items) {
      if (parts.clock.now() >= until) return;
      if (Date.parse(createdAt) > parts.clock.now() - KEY_LIFE_MS) continue;
      const secret = await parts.store.get(secretKind, CANARY_WORKSPACE, id);
      if (secret === undefined) continue;
      await destroySecret(parts, systemOrigin(CANARY_WORKSPACE, PROBE_JOB), secret).catch((error) => {
        // Another run is at it, or the daily purge.
        if (!(error instanceof RefusedChanges)) throw error;
      });
    }
  }
}

/** A code, never a message: it may hold what it failed on. */
function reasonOf(error: unknown): string {
  if (error instanceof StepFailed) return error.reason;
  return error instanceof VaultError ? error.code : 'internal';
}

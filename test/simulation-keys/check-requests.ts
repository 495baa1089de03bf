import type { Secret } from '../../core/secrets/secret.ts';
import type { Commit, Evidence, Request } from './evidence.ts';
import type { Replay } from './replay.ts';
import type { KeysWorld } from './world.ts';

/** What a secret's own state answers, whatever the migration does. */
const STATES = new Set([
  'secret_deleted',
  'not_deleted',
  'not_found',
  'recovery_window_over',
  'import_conflict',
  'key_in_use',
]);

/** Whether every answer was right, and every refusal had a reason that is not the migration. */
export function checkRequests({ evidence }: KeysWorld, values: Replay): string[] {
  return evidence.requests.flatMap((request) => [
    ...checkEffects(evidence, request),
    ...(request.kind === 'reveal' ? checkReveal(evidence, request, values) : []),
    ...checkRefusal(evidence, request, values),
  ]);
}

const EFFECTS: { readonly [kind in Request['kind']]?: string } = {
  create: 'secret.created',
  rollback: 'secret.rolled_back',
  put: 'secret.value_updated',
  'bring key': 'encryption_key.changed',
  'leave key': 'encryption_key.changed',
  'retire keys': 'encryption_key.previous_retired',
};

/** I6: however often it was asked for, it was done once; and what was answered was done. */
function checkEffects({ commits, requests }: Evidence, request: Request): string[] {
  const action = EFFECTS[request.kind];
  const { workspaceId, idempotencyKey, userAgent } = request;
  const isKeyed = idempotencyKey !== undefined && request.kind !== 'bring key';
  const same = requests.filter((one) =>
    isKeyed
      ? one.workspaceId === workspaceId && one.idempotencyKey === idempotencyKey
      : one.userAgent === userAgent,
  );
  if (action === undefined || same.at(-1) !== request) return [];
  const agents = same.map((one) => one.userAgent);
  const rows = commits.flatMap((commit) => commit.rows);
  const effects = rows.filter(
    (row) =>
      row.action === action &&
      agents.includes(row.ua) &&
      row.result === 'success' &&
      row.detail['replayed'] === undefined,
  );
  if (effects.length > 1) return [`I6: ${userAgent} (${request.kind}) took effect ${effects.length} times`];
  const isDone = typeof request.outcome === 'object' && 'answer' in request.outcome;
  const isMissing = isDone && effects.length === 0 && request.kind in { create: 0, put: 0, rollback: 0 };
  return isMissing ? [`I2: ${userAgent} (${request.kind}) was answered and not done`] : [];
}

function checkReveal({ commits }: Evidence, request: Request, { written }: Replay): string[] {
  const { outcome, secretId, userAgent } = request;
  if (typeof outcome === 'string' || !('answer' in outcome)) return [];
  const { version, value } = outcome.answer as { readonly version: number; readonly value: string };
  const isRecorded = commits.some(({ rows }) =>
    rows.some(({ action, ua, detail }) => {
      return action === 'secret.revealed' && ua === userAgent && detail['version'] === String(version);
    }),
  );
  return [
    ...(written.get(`${secretId}.${version}`) === value ? [] : [`${userAgent} was shown another value`]),
    ...(isRecorded ? [] : [`I1: ${userAgent} was shown a value without a row`]),
  ];
}

/** Nobody is refused because values move: only for a fault of this very request, a key taken away, or somebody else's change. */
function checkRefusal({ commits, outages }: Evidence, request: Request, { keys }: Replay): string[] {
  const { outcome, faults, kind, secretId, userAgent, startedAt, endedAt } = request;
  if (outcome === 'died' || 'answer' in outcome || faults > 0) return [];
  const { code } = outcome;
  const meanwhile = commits.filter(({ at }) => at >= startedAt && at <= endedAt);
  const isOut = outages.some(({ keyArn, from, until }) => {
    const isOverlapping = from <= endedAt && until >= startedAt;
    const isOfReveal = kind !== 'reveal' || isUnder(keys, secretId, keyArn);
    return isOverlapping && isOfReveal;
  });
  const isDisturbed = meanwhile.some((commit) => isOthers(commit, request));
  const isExcused =
    (STATES.has(code) && (kind !== 'reveal' || wasDeleted(commits, request))) ||
    (['key_unavailable', 'key_refused'].includes(code) && isOut) ||
    (code === 'concurrent_change' && isDisturbed);
  return isExcused ? [] : [`${userAgent} (${kind}) was refused for no reason: ${code}`];
}

/** Whether a version of the secret ever lay under this key. */
function isUnder(keys: Replay['keys'], secretId: string | undefined, keyArn: string): boolean {
  return [...keys].some(([id, ever]) => id.startsWith(`${secretId}.`) && ever.has(keyArn));
}

/** Whether somebody else changed what this request was to change. */
function isOthers({ rows, changes }: Commit, { kind, secretId, workspaceId, userAgent }: Request): boolean {
  if (rows.some(({ ua }) => ua === userAgent)) return false;
  return changes.some(({ op, entity }) => {
    if (op === 'check' || entity.workspaceId !== workspaceId) return false;
    // Whoever destroys a secret version by version may meet one that is just being moved.
    if (kind === 'purge') return true;
    return (
      entity.id === secretId || ['workspace', 'namespace', 'mfa'].includes(entity.kind) || kind === 'import'
    );
  });
}

/** Whether the secret was deleted, or gone, at any time before the request ended. */
function wasDeleted(commits: readonly Commit[], { secretId, endedAt }: Request): boolean {
  return commits.some(
    ({ at, changes }) =>
      at <= endedAt &&
      changes.some(
        ({ op, entity }) =>
          entity.kind === 'secret' &&
          entity.id === secretId &&
          (op === 'remove' || (entity as Secret).deletedAt !== undefined),
      ),
  );
}

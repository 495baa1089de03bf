import { PASSWORD_PROFILES } from '../identity/password-policy.ts';
import type { Entity } from '../kernel/entity.ts';
import { planNameSchema } from '../plans/plan.ts';
import { type Secret, secretKind } from '../secrets/secret.ts';
import {
  type IdentityPolicy,
  MOST_PREVIOUS_KEYS,
  type Workspace,
  workspaceKind,
} from '../workspaces/workspace.ts';
import type { Patch } from './decision.ts';
import type { ToldChange } from './newest-changes.ts';

/** What rows tell of data that changed since it was as it is stored; the rest of those changes is lost. */
export function dataAsTold(entity: Entity, since: readonly ToldChange[]): Patch {
  switch (entity.kind) {
    case secretKind.name:
      return secretAsTold(entity as Secret, since);
    case workspaceKind.name:
      return { ...workspaceAsTold(entity as Workspace, since) };
    default:
      return {};
  }
}

/**
 * What rows close of data that changed after all of them, by a row that never came: what either of the two closes is
 * closed.
 *
 * @param history all that rows tell of it.
 */
export function closedAsTold(entity: Entity, history: readonly ToldChange[]): Patch {
  switch (entity.kind) {
    case secretKind.name: {
      const { deletedAt, purging } = entity as Secret;
      const open = { ...(entity as Secret), deletedAt: undefined, purging: undefined };
      const told = secretAsTold(open, history);
      return { deletedAt: deletedAt ?? told.deletedAt, purging: purging ?? told.purging };
    }
    case workspaceKind.name: {
      const { policy, deletedAt } = entity as Workspace;
      const open = {
        policy: { ...policy, requireMfa: false },
        deletedAt: undefined,
        auditRetentionDays: undefined,
      };
      const told = workspaceAsTold(open, history);
      const requireMfa = policy.requireMfa || told.policy.requireMfa;
      return { policy: { ...policy, requireMfa }, deletedAt: deletedAt ?? told.deletedAt };
    }
    default:
      return {};
  }
}

type Ending = { deletedAt: string | undefined; purging: true | undefined };

/** A secret that was deleted is deleted. Which value is the current one is looked at when all versions are settled. */
function secretAsTold(
  { deletedAt, purging }: { readonly [field in keyof Ending]?: Ending[field] },
  since: readonly ToldChange[],
): Ending {
  let told: Ending = { deletedAt, purging };
  for (const { action, ts } of since) {
    if (action === 'secret.deleted') told = { deletedAt: ts, purging: undefined };
    if (action === 'secret.restored') told = { deletedAt: undefined, purging: undefined };
    if (action === 'secret.purge_started') told = { deletedAt: told.deletedAt ?? ts, purging: true };
  }
  return told;
}

type Told<K extends keyof Workspace> = { readonly [field in K]?: Workspace[field] | undefined };

type Keys = Told<'encryptionKey' | 'previousKeyArns'>;

interface Settings extends Keys, Told<'deletedAt' | 'auditRetentionDays' | 'plan'> {
  readonly policy: IdentityPolicy;
}

/** Its rows tell everything of a workspace but its name; the owners are counted when all memberships are settled. */
function workspaceAsTold(workspace: Settings, since: readonly ToldChange[]): Settings {
  let { policy, deletedAt, auditRetentionDays, plan } = workspace;
  let keys: Keys = { encryptionKey: workspace.encryptionKey, previousKeyArns: workspace.previousKeyArns };
  for (const { action, ts, detail, isBelieved } of since) {
    if (action === 'workspace.deleted') deletedAt = ts;
    if (action === 'workspace.plan_assigned') plan = planNameSchema.safeParse(detail['plan']).data ?? plan;
    if (action === 'encryption_key.changed' && isBelieved) keys = keysAsTold(keys, ts, detail);
    if (action !== 'workspace.updated') continue;
    policy = policyAsTold(policy, detail);
    const days = Number(detail['auditRetentionDays']);
    if (Number.isSafeInteger(days)) auditRetentionDays = days;
  }
  return { policy, deletedAt, auditRetentionDays, plan, ...keys };
}

/**
 * The key that a workspace changed to, and its earlier ones: also those that it gave up since, for its values may lie under
 * them again. Whoever brought a key must not have new values sealed under another one.
 */
function keysAsTold(keys: Keys, since: string, detail: ToldChange['detail']): Keys {
  const { keyArn, previousKeyArn, mode } = detail;
  if (keyArn === undefined || previousKeyArn === undefined) return keys;
  const earlier = new Set([previousKeyArn, ...(keys.previousKeyArns ?? [])]);
  earlier.delete(keyArn);
  return {
    encryptionKey: mode === 'customer' ? { keyArn, since } : undefined,
    previousKeyArns: [...earlier].slice(0, MOST_PREVIOUS_KEYS),
  };
}

/**
 * The key of a workspace of which nobody vouches as it is stored: the one that rows tell of which are believed, or none.
 * Whoever forges a backup could otherwise have all values moved under a key of theirs. A key that was brought in the last
 * moment has to be brought again; values that lie under it are moved away, as under any other earlier key.
 */
export function keyAsBelieved(entity: Entity, history: readonly ToldChange[]): Patch {
  if (entity.kind !== workspaceKind.name) return {};
  const { encryptionKey: stored, previousKeyArns = [] } = entity as Workspace;
  const { encryptionKey } = history
    .filter(({ action, isBelieved }) => isBelieved && action === 'encryption_key.changed')
    .reduce<Keys>((keys, { ts, detail }) => keysAsTold(keys, ts, detail), {});
  if (encryptionKey?.keyArn === stored?.keyArn) return {};
  const earlier = new Set([...(stored === undefined ? [] : [stored.keyArn]), ...previousKeyArns]);
  if (encryptionKey !== undefined) earlier.delete(encryptionKey.keyArn);
  return { encryptionKey, previousKeyArns: [...earlier].slice(0, MOST_PREVIOUS_KEYS) };
}

function policyAsTold(policy: IdentityPolicy, detail: ToldChange['detail']): IdentityPolicy {
  const { requireMfa, passwordProfile, breachUnavailable } = detail;
  return {
    requireMfa: requireMfa === undefined ? policy.requireMfa : requireMfa === 'true',
    passwordProfile: PASSWORD_PROFILES.find((name) => name === passwordProfile) ?? policy.passwordProfile,
    breachUnavailable:
      breachUnavailable === 'refuse' || breachUnavailable === 'accept'
        ? breachUnavailable
        : policy.breachUnavailable,
  };
}

import { PASSWORD_PROFILES } from '../identity/password-policy.ts';
import type { Entity } from '../kernel/entity.ts';
import { type Secret, secretKind } from '../secrets/secret.ts';
import { type IdentityPolicy, type Workspace, workspaceKind } from '../workspaces/workspace.ts';
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

interface Settings {
  readonly policy: IdentityPolicy;
  readonly deletedAt?: string | undefined;
  readonly auditRetentionDays?: number | undefined;
}

/** Its rows tell everything of a workspace but its name; the owners are counted when all memberships are settled. */
function workspaceAsTold(workspace: Settings, since: readonly ToldChange[]): Settings {
  let { policy, deletedAt, auditRetentionDays } = workspace;
  for (const { action, ts, detail } of since) {
    if (action === 'workspace.deleted') deletedAt = ts;
    if (action !== 'workspace.updated') continue;
    policy = policyAsTold(policy, detail);
    const days = Number(detail['auditRetentionDays']);
    if (Number.isSafeInteger(days)) auditRetentionDays = days;
  }
  return { policy, deletedAt, auditRetentionDays };
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

import { apiKeyKind, apiKeyList, isGoodKey } from '../identity/api-key.ts';
import { normalizeEmail } from '../identity/user.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import {
  invitationKind,
  invitationList,
  isUsable,
  memberList,
  membershipKind,
} from '../members/membership.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { demandRoom } from './demand.ts';
import type { PlanName } from './plan.ts';
import type { PlanCounts } from './plan-counts.ts';

/** What a workspace has of what its plan limits; months are counted elsewhere. */
export interface Kept {
  readonly secrets: number;
  readonly apiKeys: number;
  readonly members: number;
}

interface Parts {
  readonly store: Store;
  readonly clock: Pick<Clock, 'now'>;
}

/** Entries asked for at once: a read gives what fits into 1 MB. */
const PAGE = 1_000;

interface DemandingParts extends Parts {
  readonly defaultPlan: PlanName;
}

/** @throws VaultError `plan_limit_exceeded` where the workspace may have no further API key. */
export async function demandRoomForKey(parts: DemandingParts, workspace: Workspace): Promise<void> {
  demandRoom(workspace, parts.defaultPlan, 'apiKeys', { used: await countApiKeys(parts, workspace.id) });
}

/**
 * Whoever is invited already can be invited once more.
 *
 * @throws VaultError `plan_limit_exceeded` where the workspace may invite nobody further.
 */
export async function demandRoomForPerson(
  parts: DemandingParts,
  workspace: Workspace,
  email: string,
): Promise<void> {
  const people = await peopleOf(parts, workspace.id);
  if (people.has(email)) return;
  demandRoom(workspace, parts.defaultPlan, 'members', { used: people.size });
}

/**
 * For somebody who is invited, and so was counted already.
 *
 * @throws VaultError `plan_limit_exceeded` where the workspace may have no further member.
 */
export async function demandRoomForMember(
  parts: Pick<DemandingParts, 'store' | 'defaultPlan'>,
  workspace: Workspace,
): Promise<void> {
  const { size: used } = await membersOf(parts, workspace.id);
  demandRoom(workspace, parts.defaultPlan, 'members', { used });
}

/** What a workspace has now. */
export async function countKept(
  parts: Parts & { readonly bookkeeping: Pick<PlanCounts, 'secretCount'> },
  workspaceId: string,
): Promise<Kept> {
  const [secrets, apiKeys, people] = await Promise.all([
    parts.bookkeeping.secretCount(workspaceId),
    countApiKeys(parts, workspaceId),
    peopleOf(parts, workspaceId),
  ]);
  return { secrets, apiKeys, members: people.size };
}

/** The keys that count, see {@link file://./plan.ts}. Lists lag a moment behind. */
export async function countApiKeys({ store, clock }: Parts, workspaceId: string): Promise<number> {
  const now = clock.now();
  let count = 0;
  for await (const keys of listPages(store, apiKeyKind, { list: apiKeyList(workspaceId), limit: PAGE })) {
    for (const key of keys)
      if (isGoodKey(key, now) && key.rotatedTo === undefined && !key.honeypot) count += 1;
  }
  return count;
}

/** The addresses of all who are members or invited, each once. Lists lag a moment behind. */
export async function peopleOf({ store, clock }: Parts, workspaceId: string): Promise<ReadonlySet<string>> {
  const now = clock.now();
  const people = await membersOf({ store }, workspaceId);
  const invitations = { list: invitationList(workspaceId), limit: PAGE };
  for await (const page of listPages(store, invitationKind, invitations)) {
    for (const invitation of page)
      if (isUsable(invitation, now)) people.add(normalizeEmail(invitation.email));
  }
  return people;
}

/** The addresses of all members. */
export async function membersOf({ store }: Pick<Parts, 'store'>, workspaceId: string): Promise<Set<string>> {
  const members = new Set<string>();
  for await (const page of listPages(store, membershipKind, { list: memberList(workspaceId), limit: PAGE }))
    for (const { email } of page) members.add(normalizeEmail(email));
  return members;
}

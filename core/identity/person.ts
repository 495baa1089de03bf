import type { AuditEvent } from '../audit/event.ts';
import { type Origin, PRINCIPAL_LANE } from '../audit/event.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { type Membership, membershipKind } from '../members/membership.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { type Caller, callerOf } from './caller.ts';
import { type PasswordPolicy, strictest } from './password-policy.ts';
import { emailId, type User, userEmailKind, userKind } from './user.ts';

/**
 * The person with an e-mail address. Takes the same two reads whether there is one or not.
 */
export async function findPerson(store: Store, email: string): Promise<User | undefined> {
  const account = emailId(email);
  const entry = await store.get(userEmailKind, PLATFORM_WORKSPACE, account);
  return store.get(userKind, PLATFORM_WORKSPACE, entry?.userId ?? account);
}

/** A workspace that somebody is a member of. */
export interface Place {
  readonly workspace: Workspace;
  readonly membership: Membership;
}

type PlacedUser = { readonly id: string; readonly workspaceIds: readonly string[] };

/** Where a person may enter, in the order of joining; read consistently. */
export async function placesOf(store: Store, { id, workspaceIds }: PlacedUser): Promise<readonly Place[]> {
  const places = await Promise.all(
    workspaceIds.map(async (workspaceId): Promise<Place[]> => {
      const [workspace, membership] = await Promise.all([
        store.get(workspaceKind, workspaceId, workspaceId),
        store.get(membershipKind, workspaceId, id),
      ]);
      const isOpen = workspace !== undefined && workspace.deletedAt === undefined && membership !== undefined;
      return isOpen ? [{ workspace, membership }] : [];
    }),
  );
  return places.flat();
}

/** The workspaces that a person may enter: only those learn what becomes of them. */
export async function homesOf(store: Store, user: PlacedUser): Promise<readonly string[]> {
  return (await placesOf(store, user)).map(({ workspace }) => workspace.id);
}

/** The strictest of what these workspaces demand of a password. */
export function passwordPolicyOf(workspaces: readonly Workspace[]): PasswordPolicy {
  return strictest(
    workspaces.map(({ policy }) => ({
      profiles: [policy.passwordProfile],
      breachUnavailable: policy.breachUnavailable,
    })),
  );
}

/** Whether any of these workspaces demands a second factor. */
export function demandsMfa(places: readonly Place[]): boolean {
  return places.some(({ workspace }) => workspace.policy.requireMfa);
}

/** Words that passwords of this person must not contain: the service's, and the names of their address and workspaces. */
export function contextWords(email: string, workspaces: readonly Workspace[]): readonly string[] {
  const names = workspaces.flatMap(({ name }) => name.split(/[^\p{L}\p{N}]+/u));
  return ['lockzero', email.slice(0, email.lastIndexOf('@')), ...names].filter(
    (word) => [...word].length >= MIN_WORD,
  );
}

/** Shorter ones are in too many good passwords. */
const MIN_WORD = 4;

/** A person at work in a workspace, by a request of theirs. */
export function personOrigin(workspaceId: string, userId: string, caller: Caller): Origin {
  return { workspaceId, lane: PRINCIPAL_LANE, actor: { type: 'user', id: userId }, ...callerOf(caller) };
}

/**
 * What a person does to their own account is explained in the platform's trail, where the account lies. So that their
 * workspaces' auditors see it too, each gets a row of it, without the changes.
 */
export async function tellWorkspaces(
  trail: { commit(origin: Origin, events: readonly AuditEvent[]): Promise<unknown> },
  origin: Origin,
  { changes: _changes, ...event }: AuditEvent,
  workspaceIds: readonly string[],
): Promise<void> {
  await Promise.all(workspaceIds.map((workspaceId) => trail.commit({ ...origin, workspaceId }, [event])));
}

import type { Origin } from '../audit/event.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { placesOf } from '../identity/person.ts';
import { MAX_WORKSPACES, type User, userKind } from '../identity/user.ts';
import { update } from '../kernel/entity.ts';
import { notFound, VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { departure } from './departed-user.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail'>;
type TidyParts = Pick<IdentityParts, 'store' | 'trail' | 'clock'>;

/**
 * Puts a workspace on a person's own list, before they become a member of it. A crash after that leaves an entry too
 * many, which lets nobody in.
 *
 * @returns the person, with the workspace on their list.
 * @throws VaultError `too_many_workspaces`
 */
export function addUserWorkspace(
  { store, trail }: Parts,
  userId: string,
  workspaceId: string,
  origin: Origin,
): Promise<User> {
  return retryRefused(async () => {
    const user = await store.get(userKind, PLATFORM_WORKSPACE, userId);
    if (user === undefined) throw notFound('person');
    if (user.workspaceIds.includes(workspaceId)) return user;
    const places = user.workspaceIds.length < MAX_WORKSPACES ? undefined : await placesOf(store, user);
    if (places !== undefined && places.length >= MAX_WORKSPACES) {
      throw new VaultError(
        'too_many_workspaces',
        `A person can be in at most ${MAX_WORKSPACES} workspaces. Leave one first.`,
      );
    }
    // At the limit, entries that lead nowhere any more make room.
    const kept = places?.map(({ workspace }) => workspace.id) ?? user.workspaceIds;
    const next = update(userKind, user, { workspaceIds: [...kept, workspaceId] });
    await trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [
      {
        action: 'user.joined_workspace',
        entity: { type: 'user', id: userId },
        result: 'success',
        detail: { workspaceId },
        changes: [next],
      },
    ]);
    return next.entity;
  });
}

/**
 * Takes a workspace off a person's list once they cannot enter it any more. They are out already, so a failure changes
 * nothing for anybody: the list then names one workspace too many. Whoever is in no workspace after that is marked, so that
 * their account is found once nobody needs it.
 */
export async function tidyUserWorkspaces(
  parts: TidyParts,
  userId: string,
  workspaceId: string,
  origin: Origin,
): Promise<void> {
  await dropUserWorkspace(parts, userId, workspaceId, origin).catch(() => undefined);
}

async function dropUserWorkspace(
  parts: TidyParts,
  userId: string,
  workspaceId: string,
  origin: Origin,
): Promise<void> {
  const left = await retryRefused(async () => {
    const user = await parts.store.get(userKind, PLATFORM_WORKSPACE, userId);
    if (user === undefined || !user.workspaceIds.includes(workspaceId)) return undefined;
    if (await mayEnter(parts, user, workspaceId)) return undefined;
    const change = update(userKind, user, {
      workspaceIds: user.workspaceIds.filter((id) => id !== workspaceId),
    });
    // An entry too many, of a workspace that they never came to, must not keep their account for ever.
    const isLast = (await placesOf(parts.store, change.entity)).length === 0;
    const departed = isLast ? [await departure(parts.store, userId, parts.clock.now())] : [];
    await parts.trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [
      {
        action: 'user.left_workspace',
        entity: { type: 'user', id: userId },
        result: 'success',
        detail: { workspaceId },
        changes: [change, ...departed],
      },
    ]);
    return user;
  });
  // Whoever was let in again between that look and that write had found the entry there, and lost it now.
  if (left !== undefined && (await mayEnter(parts, left, workspaceId)))
    await addUserWorkspace(parts, userId, workspaceId, origin);
}

async function mayEnter({ store }: Parts, user: User, workspaceId: string): Promise<boolean> {
  return (await placesOf(store, { ...user, workspaceIds: [workspaceId] })).length > 0;
}

import { systemOrigin } from '../audit/lane-start.ts';
import { mfaKind } from '../identity/mfa.ts';
import { placesOf } from '../identity/person.ts';
import { emailId, type User, userEmailKind, userKind } from '../identity/user.ts';
import { remove } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import {
  DEPARTED_MS,
  DEPARTED_USERS,
  type DepartedUser,
  departedUserKind,
} from '../members/departed-user.ts';
import { tidyUserWorkspaces } from '../members/user-workspaces.ts';
import { currentPages } from './list-all.ts';
import { commitRemovals, PURGE_JOB, type PurgeParts } from './purge-parts.ts';

/**
 * Removes the accounts of people who have belonged to no workspace for {@link DEPARTED_MS}: the person, what reserves their
 * address, and their second factor. Their id stays in rows.
 *
 * @returns how many accounts were removed.
 */
export async function purgePeople(parts: PurgeParts): Promise<number> {
  const before = parts.clock.now() - DEPARTED_MS;
  let removed = 0;
  for await (const marks of currentPages(parts.store, departedUserKind, PLATFORM_WORKSPACE, {
    list: DEPARTED_USERS,
  })) {
    for (const mark of marks) {
      if (!parts.mayGoOn()) return removed;
      if (Date.parse(mark.since) < before && (await purgePerson(parts, mark))) removed += 1;
    }
  }
  return removed;
}

async function purgePerson(parts: PurgeParts, mark: DepartedUser): Promise<boolean> {
  const { store } = parts;
  const user = await store.get(userKind, PLATFORM_WORKSPACE, mark.id);
  if (user === undefined || (await isExpectedElsewhere(parts, user))) return false;
  const [address, mfa] = await Promise.all([
    store.get(userEmailKind, PLATFORM_WORKSPACE, emailId(user.email)),
    store.get(mfaKind, PLATFORM_WORKSPACE, user.id),
  ]);
  return commitRemovals(parts, systemOrigin(PLATFORM_WORKSPACE, PURGE_JOB), [
    {
      action: 'user.purged',
      entity: { type: 'user', id: user.id },
      result: 'success',
      changes: [
        remove(userKind, user),
        remove(departedUserKind, mark),
        ...(address === undefined ? [] : [remove(userEmailKind, address)]),
        ...(mfa === undefined ? [] : [remove(mfaKind, mfa)]),
      ],
    },
  ]);
}

/**
 * Whether somebody is in a workspace, or about to be: an entry on their list is written before a membership. Where it leads
 * nowhere it is taken off, and the thirty days begin anew.
 */
async function isExpectedElsewhere(parts: PurgeParts, user: User): Promise<boolean> {
  if (user.workspaceIds.length === 0) return false;
  if ((await placesOf(parts.store, user)).length > 0) return true;
  for (const workspaceId of user.workspaceIds) {
    await tidyUserWorkspaces(parts, user.id, workspaceId, systemOrigin(workspaceId, PURGE_JOB));
  }
  return true;
}

import type { Role } from '../access/role.ts';
import { type Change, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';

/**
 * What a person's new role changes of the workspace's list of owners. It belongs into the commit that changes the
 * membership: of two owners who demote each other at once, the workspace's revision lets only one through.
 *
 * @param role `undefined` for somebody who is going.
 * @throws VaultError `last_owner`
 */
export function ownersChange(
  workspace: Workspace,
  userId: string,
  role: Role | undefined,
): readonly Change[] {
  const isOwner = role === 'owner';
  if (workspace.owners.includes(userId) === isOwner) return [];
  const others = workspace.owners.filter((id) => id !== userId);
  if (!isOwner && others.length === 0) {
    throw new VaultError(
      'last_owner',
      'This is the last owner of the workspace. Give somebody else the role owner first.',
    );
  }
  return [update(workspaceKind, workspace, { owners: isOwner ? [...others, userId] : others })];
}

import { ROLES, type Role } from '../access/role.ts';
import type { ToldChange } from './newest-changes.ts';

/**
 * What a membership is after rows that all tell its role, or leave it.
 *
 * @returns undefined where one of them tells too little.
 */
export function membershipAsTold(since: readonly ToldChange[]): { readonly role?: Role } | undefined {
  let role: Role | undefined;
  for (const { action, detail } of since) {
    if (action === 'member.signed_out') continue;
    role = action === 'owner.recovered' ? 'owner' : roleOf(action, detail['to']);
    if (role === undefined) return undefined;
  }
  return role === undefined ? {} : { role };
}

function roleOf(action: string, to: string | undefined): Role | undefined {
  return action === 'member.role_changed' ? ROLES.find((role) => role === to) : undefined;
}

import type { Origin } from '../audit/event.ts';
import { type Change, create } from '../kernel/entity.ts';
import { newUuid, PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { choosePassword } from './choose-password.ts';
import type { IdentityParts } from './identity-parts.ts';
import { emailId, normalizeEmail, type User, userEmailKind, userKind } from './user.ts';

type Parts = Pick<IdentityParts, 'trail' | 'clock' | 'random' | 'hasher' | 'breached'>;

export interface NewUser {
  readonly email: string;
  readonly password: string;
  /** The name of the request's field for the password, for errors. */
  readonly field: string;
  /** Whose policies the password must satisfy. */
  readonly workspaces: readonly Workspace[];
  /** Where the person is about to become a member. */
  readonly workspaceId: string;
  /** What belongs to the same step. */
  readonly changes?: readonly Change[];
}

/**
 * Makes a person, unique by e-mail address.
 *
 * @param origin who makes them; the row stands in the platform's trail.
 * @throws RefusedChanges when the address is taken; what `choosePassword` throws.
 */
export async function createUser(parts: Parts, wanted: NewUser, origin: Origin): Promise<User> {
  const { workspaces, workspaceId, password, field } = wanted;
  const email = normalizeEmail(wanted.email);
  const chosen = await choosePassword(parts, field, password, email, workspaces, []);
  const now = timestamp(parts.clock.now());
  const id = newUuid(parts.random);
  const { breachUnchecked, ...hashes } = chosen;
  const user = create(userKind, {
    workspaceId: PLATFORM_WORKSPACE,
    id,
    email,
    createdAt: now,
    ...hashes,
    ...(breachUnchecked === undefined ? {} : { breachUnchecked }),
    passwordChangedAt: now,
    epoch: 1,
    workspaceIds: [workspaceId],
  });
  const reserved = create(userEmailKind, { workspaceId: PLATFORM_WORKSPACE, id: emailId(email), userId: id });
  const entity = { type: 'user', id } as const;
  await parts.trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, [
    {
      action: 'user.created',
      entity,
      result: 'success',
      changes: [user, reserved, ...(wanted.changes ?? [])],
    },
    ...(breachUnchecked ? [{ action: 'user.breach_check_skipped', entity, result: 'success' } as const] : []),
  ]);
  return user.entity;
}

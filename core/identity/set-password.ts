import type { Action, AuditEvent, Origin } from '../audit/event.ts';
import { type Change, update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { choosePassword } from './choose-password.ts';
import type { IdentityParts } from './identity-parts.ts';
import { placesOf, tellWorkspaces } from './person.ts';
import { type User, userKind } from './user.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'hasher' | 'breached' | 'mail'>;

export interface NewPassword {
  readonly user: User;
  readonly password: string;
  /** The name of the request's field, for errors. */
  readonly field: string;
  readonly action: Extract<Action, `user.${string}`>;
  /** The person's request. */
  readonly origin: Origin;
  /** What belongs to the same step, such as a link that is used up. */
  readonly changes?: readonly Change[];
}

/**
 * Gives a person a new password and ends all their sessions in the same step; then tells their workspaces and, by mail,
 * themselves.
 *
 * @returns the person as they are now.
 * @throws RefusedChanges when the account changed meanwhile; what `choosePassword` throws.
 */
export async function setPassword(parts: Parts, wanted: NewPassword): Promise<User> {
  const { user, password, field, origin } = wanted;
  const workspaces = (await placesOf(parts.store, user)).map(({ workspace }) => workspace);
  const chosen = await choosePassword(parts, field, password, user.email, workspaces, user.passwordHistory);
  const next = update(userKind, user, {
    ...chosen,
    passwordChangedAt: timestamp(parts.clock.now()),
    epoch: user.epoch + 1,
  });
  const entity = { type: 'user', id: user.id } as const;
  const events: AuditEvent[] = [
    { action: wanted.action, entity, result: 'success', changes: [next, ...(wanted.changes ?? [])] },
  ];
  if (chosen.breachUnchecked) events.push({ action: 'user.breach_check_skipped', entity, result: 'success' });
  await parts.trail.commit({ ...origin, workspaceId: PLATFORM_WORKSPACE }, events);
  const told = workspaces.map(({ id }) => id);
  try {
    for (const event of events) await tellWorkspaces(parts.trail, origin, event, told);
  } finally {
    await notify(parts, user.email);
  }
  return next.entity;
}

/** A mail that does not arrive changes nothing: the password is set. */
async function notify({ mail }: Parts, to: string): Promise<void> {
  await mail
    .send({
      to,
      subject: 'Your Lockzero password was changed',
      text: 'The password of your Lockzero account was changed just now, and you were logged out everywhere.\n\nIf that was not you, ask an owner of your workspace for help at once.\n',
    })
    .catch(() => undefined);
}

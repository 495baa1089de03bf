import type { AuditEvent } from '../audit/event.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { type Caller, callerOf } from '../identity/caller.ts';
import { choosePassword } from '../identity/choose-password.ts';
import { createUser } from '../identity/create-user.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { mfaKind } from '../identity/mfa.ts';
import { findPerson, placesOf, tellWorkspaces } from '../identity/person.ts';
import { emailId, type User, userKind } from '../identity/user.ts';
import { type Change, create, remove, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { setupAttemptKind } from './installation.ts';
import type { Workspace } from './workspace.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'random' | 'hasher' | 'breached' | 'mail'>;

interface OwnerToBe {
  readonly email: string;
  readonly password: string;
  /** The workspace as it is or is about to be. */
  readonly workspace: Workspace;
  /** The id of the setup token. */
  readonly tokenId: string;
}

/**
 * The account of an owner, by the proof of control that the setup token is: made, or, where the address has one, given
 * this password, rid of a second factor that may be lost, and logged out everywhere.
 */
export async function establishOwner(
  parts: Parts,
  { email, password, workspace, tokenId }: OwnerToBe,
  caller: Caller,
): Promise<User> {
  const { store, trail, clock } = parts;
  const origin = { ...systemOrigin(PLATFORM_WORKSPACE, 'setup'), ...callerOf(caller) };
  const attempt = await claimToken(store, tokenId, email);
  const user = await findPerson(store, email);
  if (user === undefined) {
    const { id: workspaceId } = workspace;
    const wanted = {
      email,
      password,
      field: 'password',
      workspaces: [workspace],
      workspaceId,
      changes: attempt,
    };
    return createUser(parts, wanted, origin);
  }
  const others = (await placesOf(store, user)).map((place) => place.workspace);
  const workspaces = [workspace, ...others.filter(({ id }) => id !== workspace.id)];
  // A set-up that was cut off after this account was made is repeated as it was: with the password that it has now.
  const isCurrent = await parts.hasher.verify(user.passwordHash, password);
  const history = isCurrent ? user.passwordHistory.slice(1) : user.passwordHistory;
  const chosen = await choosePassword(parts, 'password', password, user.email, workspaces, history);
  const mfa = await store.get(mfaKind, PLATFORM_WORKSPACE, user.id);
  const recovered = update(userKind, user, {
    ...chosen,
    passwordChangedAt: timestamp(clock.now()),
    epoch: user.epoch + 1,
    workspaceIds: [...new Set([...user.workspaceIds, workspace.id])],
  });
  const entity = { type: 'user', id: user.id } as const;
  const events: AuditEvent[] = [
    {
      action: 'user.recovered',
      entity,
      result: 'success',
      changes: [recovered, ...attempt, ...(mfa === undefined ? [] : [remove(mfaKind, mfa)])],
    },
  ];
  if (chosen.breachUnchecked) events.push({ action: 'user.breach_check_skipped', entity, result: 'success' });
  await trail.commit(origin, events);
  // The auditors of all their workspaces learn of it, and they themselves: it went past their password and factor.
  const told = others.map(({ id }) => id);
  for (const event of events) await tellWorkspaces(trail, origin, event, told);
  await parts.mail.send({ to: user.email, ...RECOVERED }).catch(() => undefined);
  return recovered.entity;
}

/**
 * The change that ties a setup token to an address; none where an earlier, cut-off request has done so.
 *
 * @throws VaultError `setup_refused` when the token is tied to another address.
 */
async function claimToken(store: Parts['store'], tokenId: string, email: string): Promise<Change[]> {
  const account = emailId(email);
  const earlier = await store.get(setupAttemptKind, PLATFORM_WORKSPACE, tokenId);
  if (earlier === undefined)
    return [create(setupAttemptKind, { workspaceId: PLATFORM_WORKSPACE, id: tokenId, account })];
  if (earlier.account === account) return [];
  throw new VaultError(
    'setup_refused',
    'This setup token was used for another e-mail address already. Rotate it in Secrets Manager and try the new one.',
  );
}

const RECOVERED = {
  subject: 'Your Lockzero account was recovered',
  text: 'The operator of your Lockzero deployment has given your account a new password, removed its second factor and logged you out everywhere.\n\nIf you did not ask for that, talk to them at once.\n',
};

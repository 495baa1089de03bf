import { isAtLeast, type Role } from '../access/role.ts';
import { RefusedChanges } from '../audit/append.ts';
import { systemOrigin } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { apiKeyKind, isGoodKey } from '../identity/api-key.ts';
import { type Caller, callerOf } from '../identity/caller.ts';
import { createUser } from '../identity/create-user.ts';
import { bookLogin, recordFailedLogin } from '../identity/fail-login.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { attemptKey } from '../identity/known-device.ts';
import { isOpaqueToken, opaqueTokenId } from '../identity/opaque-token.ts';
import { findPerson, personOrigin } from '../identity/person.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { emailId, type User, userKind } from '../identity/user.ts';
import { type Change, check, create, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { isUuid, PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { demandRoomForMember } from '../plans/kept.ts';
import type { PlanName } from '../plans/plan.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { type Invitation, invitationKind, isUsable, membershipKind, newSessionGroup } from './membership.ts';
import { ownersChange } from './owners.ts';
import { addUserWorkspace } from './user-workspaces.ts';

type Parts = Pick<
  IdentityParts,
  'store' | 'trail' | 'clock' | 'random' | 'bookkeeping' | 'derivedKeys' | 'hasher' | 'breached'
> & {
  /** The plan of workspaces that were assigned none. */
  readonly defaultPlan: PlanName;
};

export interface Acceptance {
  readonly token: string;
  /** The password of the account with the invited address; if there is none, the one that it is to get. */
  readonly password: string;
  /** What an earlier login from this browser left there. */
  readonly deviceToken?: string | undefined;
}

export interface Joined {
  readonly workspace: Workspace;
  readonly user: User;
  readonly role: Role;
}

/**
 * Makes whoever holds the link from an invitation a member. It opens no session: a second factor is asked for at the
 * login that follows.
 *
 * The account is written first, then the workspace onto its list, then the membership. A crash between leaves an
 * account that may enter nothing, and the same request takes up where it was.
 *
 * @throws VaultError `link_refused` for a link that is unknown, used, revoked or over; `login_refused` and
 * `login_locked` as for a login; `invalid_request` with the faults of a new password, and then the link still works;
 * `already_member`; `too_many_workspaces`; `plan_limit_exceeded` where the plan was changed since; `rate_limited`.
 */
export async function acceptInvitation(
  parts: Parts,
  acceptance: Acceptance,
  caller: Caller,
): Promise<Joined> {
  const { token } = acceptance;
  await limitRequests(parts, 'invitation', caller.ip, opaqueTokenId('invitation', token));
  const { invitation, workspace } = await openInvitation(parts, token, caller);
  // Before an account is made that may enter nothing.
  await demandRoomForMember(parts, workspace);
  const user = await personOf(parts, invitation, workspace, acceptance, caller);
  return retryRefused(() => join(parts, token, user.id, caller));
}

interface OpenInvitation {
  readonly invitation: Invitation;
  readonly workspace: Workspace;
}

async function openInvitation(parts: Parts, token: string, caller: Caller): Promise<OpenInvitation> {
  const { store, clock } = parts;
  const invitation = isOpaqueToken('invitation', token)
    ? await store.find(invitationKind, opaqueTokenId('invitation', token))
    : undefined;
  const workspace =
    invitation && (await store.get(workspaceKind, invitation.workspaceId, invitation.workspaceId));
  const isOpen = workspace !== undefined && workspace.deletedAt === undefined;
  if (invitation !== undefined && isOpen && isUsable(invitation, clock.now()))
    return { invitation, workspace };
  throw await invitationOver(parts, invitation && (await findPerson(store, invitation.email)), caller);
}

async function invitationOver(parts: Parts, user: User | undefined, caller: Caller): Promise<VaultError> {
  await recordFailedLogin(parts, user, 'invitation_link', caller);
  return new VaultError(
    'link_refused',
    'This invitation is over: it was accepted or revoked already, or seven days have passed. Ask for another one.',
  );
}

/**
 * That whoever made an invitation still could: nobody leaves a way in behind. `undefined` once they are gone or have a
 * lower role than the invitation's.
 */
async function inviterWhoMay(
  { store, clock }: Parts,
  { workspaceId, invitedBy, role }: Invitation,
): Promise<Change | undefined> {
  if (isUuid(invitedBy)) {
    const membership = await store.get(membershipKind, workspaceId, invitedBy);
    const may = membership !== undefined && isAtLeast(membership.role, role);
    return may ? check(membershipKind, membership) : undefined;
  }
  const key = await store.get(apiKeyKind, workspaceId, invitedBy);
  const may = key !== undefined && isGoodKey(key, clock.now()) && isAtLeast(key.role, role);
  return may ? check(apiKeyKind, key) : undefined;
}

/** The person with the invited address: who proves it, or whose account is made, with the link as proof of the address. */
async function personOf(
  parts: Parts,
  { email }: Invitation,
  workspace: Workspace,
  acceptance: Acceptance,
  caller: Caller,
): Promise<User> {
  const known = await findPerson(parts.store, email);
  if (known !== undefined) return prove(parts, known, acceptance, caller);
  const { password } = acceptance;
  const wanted = { email, password, field: 'password', workspaces: [workspace], workspaceId: workspace.id };
  try {
    return await createUser(parts, wanted, {
      ...systemOrigin(PLATFORM_WORKSPACE, 'invitation'),
      ...callerOf(caller),
    });
  } catch (error) {
    // Another request made the account a moment earlier.
    const made = error instanceof RefusedChanges ? await findPerson(parts.store, email) : undefined;
    if (made === undefined) throw error;
    return prove(parts, made, acceptance, caller);
  }
}

/** Counts and records like a login. A right password completes none, so earlier failures stay. */
async function prove(
  parts: Parts,
  user: User,
  { password, deviceToken }: Acceptance,
  caller: Caller,
): Promise<User> {
  const key = await attemptKey(
    parts.derivedKeys,
    { id: emailId(user.email), epoch: user.epoch },
    deviceToken,
    parts.clock.now(),
  );
  const attempt = await bookLogin(parts, key, user, caller);
  if (!(await parts.hasher.verify(user.passwordHash, password))) {
    await recordFailedLogin(parts, user, 'wrong_password', caller);
    throw new VaultError(
      'login_refused',
      'The invited address has an account, and this is not its password. Send that one, or reset it first.',
    );
  }
  await attempt.giveBack();
  return user;
}

async function join(parts: Parts, token: string, userId: string, caller: Caller): Promise<Joined> {
  const { store, trail, clock, random } = parts;
  const { invitation, workspace } = await openInvitation(parts, token, caller);
  const { role, invitedBy } = invitation;
  const origin = personOrigin(workspace.id, userId, caller);
  if ((await store.get(membershipKind, workspace.id, userId)) !== undefined) {
    // Their own list may have lost the entry in a crash: without it they could not get in.
    await addUserWorkspace(parts, userId, workspace.id, origin);
    throw new VaultError('already_member', `You are a member of ${workspace.name} already. Log in.`);
  }
  const inviter = await inviterWhoMay(parts, invitation);
  if (inviter === undefined) throw await invitationOver(parts, undefined, caller);
  const user = await addUserWorkspace(parts, userId, workspace.id, origin);
  const now = timestamp(clock.now());
  const membership = create(membershipKind, {
    workspaceId: workspace.id,
    id: userId,
    email: user.email,
    role,
    joinedAt: now,
    invitedBy,
    sessionGroup: newSessionGroup(random),
  });
  await trail.commit(origin, [
    {
      action: 'member.joined',
      entity: { type: 'user', id: userId },
      result: 'success',
      detail: { role, invitation: invitation.id },
      changes: [
        membership,
        update(invitationKind, invitation, { acceptedAt: now }),
        ...ownersChange(workspace, userId, role),
        // Somebody may be tidying the person's list after an earlier membership: the entry has to stand.
        check(userKind, user),
        inviter,
      ],
    },
  ]);
  return { workspace, user, role };
}

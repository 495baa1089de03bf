import { createHash, timingSafeEqual } from 'node:crypto';
import { RefusedChanges } from '../audit/append.ts';
import { type AuditEvent, type Origin, STRANGER_LANE } from '../audit/event.ts';
import { laneOpened } from '../audit/lane-start.ts';
import { retryRefused } from '../audit/retry-refused.ts';
import { type ApiKey, apiKeyId, apiKeyKind, newToken, tokenHash } from '../identity/api-key.ts';
import { type Caller, callerOf } from '../identity/caller.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { recordFailedAuthentication } from '../identity/record-failed-authentication.ts';
import { limitRequests } from '../identity/request-limits.ts';
import { type User, userKind } from '../identity/user.ts';
import { type Change, check, create, update } from '../kernel/entity.ts';
import { invalid, VaultError } from '../kernel/errors.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { membershipKind, newSessionGroup } from '../members/membership.ts';
import { establishOwner } from './establish-owner.ts';
import { installationKind, usedSetupTokenKind } from './installation.ts';
import { newWorkspace, type Workspace, workspaceKind } from './workspace.ts';

export type SetUpParts = Pick<
  IdentityParts,
  'store' | 'trail' | 'clock' | 'random' | 'bookkeeping' | 'hasher' | 'breached' | 'mail'
> & {
  /** The token that the operator finds in Secrets Manager. */
  readonly setupToken: () => Promise<string>;
};

export interface SetUpInput {
  readonly setupToken: string;
  readonly workspaceName: string;
  /** The first owner; a deployment for machines alone may do without. */
  readonly email?: string | undefined;
  readonly password?: string | undefined;
}

export interface SetUpResult {
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly recovered: boolean;
  readonly owner?: User;
  readonly apiKey: ApiKey;
  /** Shown once. */
  readonly token: string;
}

/**
 * Makes the first workspace with its owner and an owner's key, for whoever holds the setup token. Later, a fresh token
 * (rotated by the operator) makes another owner's key for that workspace, and an owner of whoever is named: with the
 * password given, and without the second factor that they may have lost.
 *
 * The person is written first. A crash after that leaves the token alive, and the same request takes up where it was.
 *
 * @throws VaultError `setup_refused` for a wrong token and for one that was used, alike; `invalid_request` for a
 * password against the policy; `rate_limited`; `concurrent_change` when the person's account changed at that moment.
 */
export async function setUp(parts: SetUpParts, input: SetUpInput, caller: Caller): Promise<SetUpResult> {
  const { store, trail, clock } = parts;
  await limitRequests(parts, 'setup', caller.ip);
  const usedId = await checkToken(parts, input.setupToken, caller);
  const installed = await store.find(installationKind, 'first');
  const workspace =
    installed && (await store.get(workspaceKind, installed.workspaceId, installed.workspaceId));
  // Of the token, so that a request that is repeated, or races with an equal one, means the same workspace.
  const workspaceId = workspace?.id ?? `ws_${usedId.slice(0, 32)}`;
  const now = timestamp(clock.now());
  const planned = workspace ?? newWorkspace(workspaceId, input.workspaceName, now).entity;
  const person = await namedPerson(parts, input, planned, usedId, caller);
  const { key, token } = ownerKey(parts, workspaceId, workspace !== undefined);
  const used = create(usedSetupTokenKind, { workspaceId, id: usedId, usedAt: now });
  const origin: Origin = { workspaceId, lane: 0, actor: SETUP_ACTOR, ...callerOf(caller) };
  const keyCreated: AuditEvent = {
    action: 'api_key.created',
    entity: { type: 'api_key', id: key.entity.id },
    result: 'success',
    detail: { role: 'owner' },
    changes: [key],
  };
  const events =
    workspace === undefined
      ? installing(workspaceId, input.workspaceName, now, person, used)
      : await recovering(parts, workspace, now, person, used);
  try {
    await trail.commit(origin, [...events, keyCreated]);
  } catch (error) {
    // Only the person's account was changed meanwhile: the token is alive, and the same request takes up where this one was.
    if (!(error instanceof RefusedChanges) || isOnlyAboutPerson(error)) throw error;
    // Another request used the same token a moment earlier.
    throw await refused(parts, caller);
  }
  return {
    workspaceId,
    workspaceName: workspace?.name ?? input.workspaceName,
    recovered: workspace !== undefined,
    ...(person === undefined ? {} : { owner: person.user }),
    apiKey: key.entity,
    token,
  };
}

function isOnlyAboutPerson(refused: RefusedChanges): boolean {
  return refused.includes(userKind.name) && !refused.includes(usedSetupTokenKind.name);
}

const SETUP_ACTOR = { type: 'system', id: 'setup' } as const;

interface Person {
  readonly user: User;
  readonly sessionGroup: string;
}

async function checkToken(parts: SetUpParts, setupToken: string, caller: Caller): Promise<string> {
  const expected = await parts.setupToken();
  const usedId = createHash('sha256')
    .update('lockzero setup token\0')
    .update(setupToken, 'utf8')
    .digest('hex');
  const dead = await parts.store.find(usedSetupTokenKind, usedId);
  if (!sameText(setupToken, expected) || dead !== undefined) throw await refused(parts, caller);
  return usedId;
}

async function namedPerson(
  parts: SetUpParts,
  { email, password }: SetUpInput,
  workspace: Workspace,
  tokenId: string,
  caller: Caller,
): Promise<Person | undefined> {
  if (email === undefined && password === undefined) return undefined;
  if (email === undefined) throw invalid('email', 'goes together with "password"');
  if (password === undefined) throw invalid('password', 'goes together with "email"');
  // A racing request for the same person may have been a step ahead: then this one goes on from there.
  const user = await retryRefused(() =>
    establishOwner(parts, { email, password, workspace, tokenId }, caller),
  );
  return { user, sessionGroup: newSessionGroup(parts.random) };
}

function ownerKey({ clock, random }: SetUpParts, workspaceId: string, isRecovery: boolean) {
  const token = newToken(random);
  const key = create(apiKeyKind, {
    workspaceId,
    id: apiKeyId(token),
    name: isRecovery ? 'recovered owner' : 'owner',
    role: 'owner',
    namespaces: ['*'],
    tokenHash: tokenHash(token),
    honeypot: false,
    createdAt: timestamp(clock.now()),
    createdBy: SETUP_ACTOR.id,
  });
  return { key, token };
}

/** The first rows of the first workspace. */
function installing(
  workspaceId: string,
  name: string,
  now: string,
  person: Person | undefined,
  used: Change,
): AuditEvent[] {
  const made = newWorkspace(workspaceId, name, now, person === undefined ? [] : [person.user.id]);
  const installation = create(installationKind, { workspaceId, id: 'first' });
  const membership = person === undefined ? [] : [ownership(workspaceId, person, now)];
  return [
    {
      action: 'workspace.created',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [made, installation, used, ...membership],
    },
    laneOpened(workspaceId, STRANGER_LANE),
  ];
}

async function recovering(
  { store }: SetUpParts,
  workspace: Workspace,
  now: string,
  person: Person | undefined,
  used: Change,
): Promise<AuditEvent[]> {
  const changes: Change[] = [used];
  if (person !== undefined) {
    const { user, sessionGroup } = person;
    const membership = await store.get(membershipKind, workspace.id, user.id);
    // The daily purge tidies the lists of people who have left: the entry of this workspace has to stand.
    changes.push(check(userKind, user));
    changes.push(
      membership === undefined
        ? ownership(workspace.id, person, now)
        : update(membershipKind, membership, { role: 'owner', sessionGroup }),
    );
    if (!workspace.owners.includes(user.id))
      changes.push(update(workspaceKind, workspace, { owners: [...workspace.owners, user.id] }));
  }
  return [
    {
      action: 'owner.recovered',
      entity: { type: 'workspace', id: workspace.id },
      result: 'success',
      changes,
    },
  ];
}

function ownership(workspaceId: string, { user, sessionGroup }: Person, joinedAt: string): Change {
  return create(membershipKind, {
    workspaceId,
    id: user.id,
    email: user.email,
    role: 'owner',
    joinedAt,
    invitedBy: SETUP_ACTOR.id,
    sessionGroup,
  });
}

async function refused(parts: SetUpParts, caller: Caller): Promise<VaultError> {
  await recordFailedAuthentication(parts, {
    ...callerOf(caller),
    subject: undefined,
    reason: 'setup_token',
  });
  return new VaultError(
    'setup_refused',
    'The setup token is wrong or was used already. The operator can rotate it in Secrets Manager and try the new one.',
  );
}

function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(left), digest(right));
}

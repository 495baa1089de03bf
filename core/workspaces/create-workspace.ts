import { createHash } from 'node:crypto';
import { originOf, type RequestContext, type UserPrincipal } from '../access/principal.ts';
import { RefusedChanges } from '../audit/append.ts';
import { STRANGER_LANE } from '../audit/event.ts';
import { laneOpened } from '../audit/lane-start.ts';
import type { IdentityParts } from '../identity/identity-parts.ts';
import { authorizePerson } from '../identity/own-session.ts';
import { type Place, personOrigin } from '../identity/person.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { create } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { membershipKind, newSessionGroup } from '../members/membership.ts';
import { addUserWorkspace } from '../members/user-workspaces.ts';
import { newWorkspace, workspaceKind } from './workspace.ts';

type Parts = Pick<IdentityParts, 'store' | 'trail' | 'clock' | 'random'>;

/**
 * Makes one more tenant, with the caller as its owner; they get there with `POST /auth/switch-workspace`.
 *
 * The record of an `Idempotency-Key` would have to lie in another workspace than what it is about. So the new
 * workspace's id derives from the key instead: a repeat comes upon what the first request made.
 *
 * @throws VaultError `too_many_workspaces`; `idempotency_key_reused` for a key whose workspace has another name, is
 * deleted, or is not the caller's any more.
 */
export async function createWorkspace(
  parts: Parts,
  context: RequestContext,
  { name }: { readonly name: string },
): Promise<Place> {
  const principal = authorizePerson(context.principal, 'workspace:create');
  const id = workspaceIdOf(parts, principal, context.idempotencyKey);
  const made = await earlier(parts, principal, id, name);
  const place = made ?? (await make(parts, context, principal, id, name));
  // The caller's own workspace gets a row of it too: its auditors see what its people do.
  await parts.trail.commit(originOf(context), [
    {
      action: 'workspace.created',
      entity: { type: 'workspace', id },
      result: 'success',
      ...(made === undefined ? {} : { detail: { replayed: 'true' } }),
    },
  ]);
  return place;
}

function workspaceIdOf({ random }: Parts, { id }: UserPrincipal, idempotencyKey: string | undefined): string {
  if (idempotencyKey === undefined) return newId('ws', random);
  const text = canonicalJson(['POST /workspaces', id, idempotencyKey]);
  return `ws_${createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 32)}`;
}

/** What an earlier request with the same `Idempotency-Key` made. */
async function earlier(
  { store }: Parts,
  { id: userId }: UserPrincipal,
  id: string,
  name: string,
): Promise<Place | undefined> {
  const [workspace, membership] = await Promise.all([
    store.get(workspaceKind, id, id),
    store.get(membershipKind, id, userId),
  ]);
  if (workspace === undefined) return undefined;
  if (workspace.name === name && workspace.deletedAt === undefined && membership !== undefined)
    return { workspace, membership };
  throw new VaultError(
    'idempotency_key_reused',
    'This Idempotency-Key made a workspace that is not the one asked for. Use a new key for a new request.',
  );
}

async function make(
  parts: Parts,
  context: RequestContext,
  principal: UserPrincipal,
  id: string,
  name: string,
): Promise<Place> {
  const origin = personOrigin(id, principal.id, context);
  // First: a crash after this leaves an entry too many on the person's list, which lets nobody in.
  const user = await addUserWorkspace(parts, principal.id, id, origin);
  const now = timestamp(parts.clock.now());
  const workspace = newWorkspace(id, name, now, [user.id]);
  const membership = create(membershipKind, {
    workspaceId: id,
    id: user.id,
    email: user.email,
    role: 'owner',
    joinedAt: now,
    invitedBy: user.id,
    sessionGroup: newSessionGroup(parts.random),
  });
  try {
    await parts.trail.commit(origin, [
      {
        action: 'workspace.created',
        entity: { type: 'workspace', id },
        result: 'success',
        changes: [workspace, membership],
      },
      laneOpened(id, STRANGER_LANE),
    ]);
  } catch (error) {
    // An equal request was first.
    const made = error instanceof RefusedChanges ? await earlier(parts, principal, id, name) : undefined;
    if (made === undefined) throw error;
    return made;
  }
  return { workspace: workspace.entity, membership: membership.entity };
}

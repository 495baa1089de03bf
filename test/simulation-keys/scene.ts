import { originOf } from '../../core/access/principal.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { sealValue } from '../../core/crypto/envelope.ts';
import { mfaKind } from '../../core/identity/mfa.ts';
import { userKind } from '../../core/identity/user.ts';
import { type Change, create, update } from '../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { membershipKind } from '../../core/members/membership.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import type { SeededRandom } from '../support/random.ts';
import type { KeysProcess } from './process.ts';
import { type KeysWorld, WORKSPACES } from './world.ts';

/** Who has a second factor, one in each workspace. */
export const PEOPLE = ['person-1', 'person-2'] as const;

/** The workspaces, and a person with a second factor in each. */
export async function setScene(world: KeysWorld): Promise<void> {
  const process = world.process();
  const joinedAt = timestamp(world.scheduler.now);
  for (const [index, workspaceId] of WORKSPACES.entries()) {
    const id = PEOPLE[index] ?? '';
    const membership = create(membershipKind, {
      workspaceId,
      id,
      email: `${id}@example.com`,
      role: 'owner',
      joinedAt,
      invitedBy: 'setup',
      sessionGroup: `group-${index}`,
    });
    const workspace = newWorkspace(workspaceId, 'Acme', joinedAt);
    await commit(process, workspaceId, 'workspace.created', [workspace, membership]);
    await commit(
      process,
      PLATFORM_WORKSPACE,
      'user.created',
      await personWithFactor(world, process, id, joinedAt),
    );
  }
}

async function personWithFactor(
  world: KeysWorld,
  process: KeysProcess,
  id: string,
  now: string,
): Promise<readonly Change[]> {
  const name = { workspaceId: PLATFORM_WORKSPACE, secretId: id, version: 1 };
  const parts = { keys: world.keys, random: process.random };
  const sealed = await sealValue(parts, process.deploymentKeys.own, name, Buffer.from(factorOf(id)));
  return [
    create(userKind, {
      workspaceId: PLATFORM_WORKSPACE,
      id,
      email: `${id}@example.com`,
      createdAt: now,
      passwordHash: 'hash',
      passwordChangedAt: now,
      passwordProfiles: ['length'],
      passwordHistory: ['hash'],
      epoch: 1,
      workspaceIds: [],
    }),
    create(mfaKind, {
      workspaceId: PLATFORM_WORKSPACE,
      id,
      ...sealed,
      version: 1,
      startedAt: now,
      confirmedAt: now,
      lastStep: 0,
      backupCodes: [],
    }),
  ];
}

/** The seed of a person's second factor. */
export function factorOf(id: string): string {
  return `PLAINTEXT-of-${id}`;
}

async function commit(
  { trail }: KeysProcess,
  workspaceId: string,
  action: 'workspace.created' | 'user.created',
  changes: readonly Change[],
): Promise<void> {
  const entity = { type: 'workspace', id: workspaceId };
  await trail.commit(systemOrigin(workspaceId, 'setup'), [{ action, entity, result: 'success', changes }]);
}

/** Somebody shows a code of their app, or sets their second factor up once more, with the same secret. */
export async function useFactor(world: KeysWorld, random: SeededRandom): Promise<void> {
  const id = PEOPLE[random.below(PEOPLE.length)] ?? '';
  const isNew = random.below(2) === 0;
  await world.request({ kind: 'log in', workspaceId: PLATFORM_WORKSPACE }, async (parts, context) => {
    const { store, trail, clock, deploymentKeys } = parts;
    const factor = await store.get(mfaKind, PLATFORM_WORKSPACE, id);
    if (factor === undefined) throw new TypeError('Second factors stay.');
    const version = factor.version + 1;
    const name = { workspaceId: PLATFORM_WORKSPACE, secretId: id, version };
    const patch = isNew
      ? { ...(await sealValue(parts, deploymentKeys.own, name, Buffer.from(factorOf(id)))), version }
      : { lastStep: Math.floor(clock.now() / 30_000) };
    const action = isNew ? 'user.mfa_enrollment_started' : 'user.totp_used';
    const origin = { ...originOf(context), workspaceId: PLATFORM_WORKSPACE };
    const changes = [update(mfaKind, factor, patch)];
    await trail.commit(origin, [{ action, entity: { type: 'user', id }, result: 'success', changes }]);
  });
}

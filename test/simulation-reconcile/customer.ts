import { originOf, type RequestContext } from '../../core/access/principal.ts';
import type { AuditEvent } from '../../core/audit/event.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { rewrapValue } from '../../core/crypto/envelope.ts';
import { proveKey } from '../../core/encryption-keys/prove-key.ts';
import { wrappingKeyArn } from '../../core/encryption-keys/wrapping-key.ts';
import { type Change, update } from '../../core/kernel/entity.ts';
import { secretVersionKind, versionId } from '../../core/secrets/secret.ts';
import { type Workspace, workspaceKind } from '../../core/workspaces/workspace.ts';
import { REWRAPPER_ROLE } from '../support/call-log.ts';
import { CUSTOMER_KEYS, type SimulatedVault } from './world.ts';

const MINUTE = 60_000;
const ROUNDS = 3;
/** More than a secret gets in a history. */
const MAX_VERSIONS = 40;

/** A customer goes from key to key within the hour, and the vault moves the values after them; then the old ones go. */
export async function changeKeys(
  vault: SimulatedVault,
  owner: RequestContext,
  secretIds: readonly string[],
): Promise<void> {
  const { random, time } = vault;
  for (const keyArn of CUSTOMER_KEYS) {
    await time.sleep(random.below(20 * MINUTE));
    // A request that fails is the customer's to repeat.
    await bringKey(vault, owner, keyArn).catch(() => undefined);
    for (let round = 0; round < ROUNDS; round += 1) {
      await time.sleep(random.below(2 * MINUTE));
      for (const id of secretIds) await moveVersions(vault, owner, id).catch(() => undefined);
    }
  }
  await retire(vault, owner, secretIds).catch(() => undefined);
}

async function bringKey(vault: SimulatedVault, owner: RequestContext, keyArn: string): Promise<void> {
  const parts = { ...vault.instance(), keyInspector: vault.inspector };
  const { deploymentKeys } = parts;
  const workspace = await workspaceOf(vault, owner);
  const current = wrappingKeyArn(workspace, deploymentKeys);
  const faults = await proveKey(parts, owner, { keyArn, current });
  if (faults.length > 0) return;
  const change = update(workspaceKind, workspace, {
    encryptionKey: { keyArn, since: new Date(vault.time.now()).toISOString() },
    previousKeyArns: [current, ...(workspace.previousKeyArns ?? []).filter((each) => each !== keyArn)],
  });
  const detail = { keyArn, previousKeyArn: current };
  await parts.trail.commit(originOf(owner), [
    { ...eventOf(owner, 'encryption_key.changed', detail), changes: [change] },
  ]);
}

/** What the rewrapper does, secret by secret. */
async function moveVersions(vault: SimulatedVault, owner: RequestContext, secretId: string): Promise<void> {
  const { store, keys, trail, deploymentKeys } = vault.instance(REWRAPPER_ROLE);
  const { workspaceId } = owner.principal;
  const keyArn = wrappingKeyArn(await workspaceOf(vault, owner), deploymentKeys);
  const changes: Change[] = [];
  for (let version = 1; version <= MAX_VERSIONS; version += 1) {
    const stored = await store.get(secretVersionKind, workspaceId, versionId(secretId, version));
    if (stored === undefined) break;
    if (stored.keyArn === keyArn) continue;
    const { wrappedKey } = await rewrapValue(keys, { workspaceId, secretId, version }, stored, keyArn);
    changes.push(update(secretVersionKind, stored, { wrappedKey, keyArn }));
  }
  if (changes.length === 0) return;
  const detail = { keyArn, count: String(changes.length) };
  await trail.commit(systemOrigin(workspaceId, 'rewrapper'), [
    { ...eventOf(owner, 'encryption_key.versions_rewrapped', detail), changes },
  ]);
}

async function retire(
  vault: SimulatedVault,
  owner: RequestContext,
  secretIds: readonly string[],
): Promise<void> {
  const { store, trail, deploymentKeys } = vault.instance();
  const { workspaceId } = owner.principal;
  const workspace = await workspaceOf(vault, owner);
  const keyArn = wrappingKeyArn(workspace, deploymentKeys);
  for (const id of secretIds) {
    const { items } = await store.listChildren(secretVersionKind, workspaceId, id, { limit: MAX_VERSIONS });
    if (items.some((version) => version.keyArn !== keyArn)) return;
  }
  const change = update(workspaceKind, workspace, { previousKeyArns: undefined });
  const detail = { keyArn, retired: (workspace.previousKeyArns ?? []).join(',') };
  await trail.commit(originOf(owner), [
    { ...eventOf(owner, 'encryption_key.previous_retired', detail), changes: [change] },
  ]);
}

async function workspaceOf(vault: SimulatedVault, owner: RequestContext): Promise<Workspace> {
  const { workspaceId } = owner.principal;
  const workspace = await vault.instance().store.get(workspaceKind, workspaceId, workspaceId);
  if (workspace === undefined) throw new Error('The workspace is gone.');
  return workspace;
}

function eventOf(
  owner: RequestContext,
  action: AuditEvent['action'],
  detail: NonNullable<AuditEvent['detail']>,
): AuditEvent {
  const entity = { type: 'workspace', id: owner.principal.workspaceId };
  return { action, entity, result: 'success', detail };
}

import type { InspectedEntity } from '../audit/entity-inspector.ts';
import { PRINCIPAL_LANE } from '../audit/event.ts';
import { type KeyMigration, keyMigrationKind } from '../encryption-keys/key-migration.ts';
import { fromTheBeginning, isAtTheBeginning } from '../encryption-keys/start-migration.ts';
import { anyKind, create } from '../kernel/entity.ts';
import type { Store } from '../kernel/store.ts';
import { timestamp } from '../kernel/timestamps.ts';
import { type Membership, membershipKind } from '../members/membership.ts';
import {
  nameId,
  type Secret,
  type SecretName,
  secretKind,
  secretNameKind,
  secretVersionKind,
} from '../secrets/secret.ts';
import { type Workspace, workspaceKind } from '../workspaces/workspace.ts';
import { type Decision, putAgain, removeAgain } from './decision.ts';

/** What has to be done so that entities fit each other, once each by itself stands as its rows say. */
export interface Settled {
  readonly decisions: readonly Decision[];
  /** Of a secret: itself, and whether any value of it is there. */
  readonly secret?: Secret & { readonly hasValue: boolean };
}

/**
 * A secret's current value is the newest that is there, and its name finds it. Where two secrets have one name, the name
 * stays with the one that it finds.
 */
export async function settleSecret(store: Store, { workspaceId, id }: InspectedEntity): Promise<Settled> {
  const found = await store.getWithNewest(secretKind, secretVersionKind, workspaceId, id);
  if (found === undefined) return { decisions: [] };
  const { parent: secret, newest } = found;
  const hasValue = newest !== undefined;
  if (secret.purging) return { secret: { ...secret, hasValue }, decisions: [] };
  const decisions: Decision[] = [];
  const about = {
    workspaceId,
    lane: PRINCIPAL_LANE,
    discord: 'inconsistent',
    stored: secret.revision,
  } as const;
  if (newest !== undefined && newest.version !== secret.currentVersion) {
    const [from, to] = [secret.currentVersion, newest.version].map(String);
    decisions.push({
      ...about,
      outcome: 'kept',
      detail: { fromVersion: from ?? '', toVersion: to ?? '' },
      changes: [putAgain(anyKind(secretKind), secret, 0, { currentVersion: newest.version })],
    });
  }
  const name = nameId(secret.namespace, secret.name);
  if ((await store.get(secretNameKind, workspaceId, name)) === undefined) {
    decisions.push({
      workspaceId,
      lane: PRINCIPAL_LANE,
      discord: 'inconsistent',
      outcome: 'recreated',
      changes: [create(secretNameKind, { workspaceId, id: name, secretId: id })],
    });
  }
  return { secret: { ...secret, hasValue }, decisions };
}

/** A name that finds no secret, or one of another name, is given up: it would be taken for ever. */
export async function settleName(store: Store, { workspaceId, id }: InspectedEntity): Promise<Settled> {
  const name: SecretName | undefined = await store.get(secretNameKind, workspaceId, id);
  if (name === undefined) return { decisions: [] };
  const secret = await store.get(secretKind, workspaceId, name.secretId);
  if (secret !== undefined && nameId(secret.namespace, secret.name) === id) return { decisions: [] };
  return {
    decisions: [
      {
        workspaceId,
        lane: PRINCIPAL_LANE,
        discord: 'inconsistent',
        outcome: 'removed',
        stored: name.revision,
        changes: [removeAgain(anyKind(secretNameKind), name, 0)],
      },
    ],
  };
}

/**
 * Every migration of values to another key begins anew: what it had moved may lie under the earlier key again, and where it
 * was in its lists says nothing of lists that came back.
 */
export async function settleMigration(
  store: Store,
  { workspaceId, id }: InspectedEntity,
  now: number,
): Promise<Settled> {
  const migration: KeyMigration | undefined = await store.get(keyMigrationKind, workspaceId, id);
  if (migration === undefined || isAtTheBeginning(migration)) return { decisions: [] };
  return {
    decisions: [
      {
        workspaceId,
        lane: PRINCIPAL_LANE,
        discord: 'inconsistent',
        outcome: 'kept',
        stored: migration.revision,
        changes: [putAgain(anyKind(keyMigrationKind), migration, 0, fromTheBeginning(timestamp(now)))],
      },
    ],
  };
}

/** The owners of workspaces, as their memberships say. */
export class Owners {
  readonly #byWorkspace = new Map<string, Set<string>>();
  readonly #workspaces: string[] = [];

  note({ kind, workspaceId, id, entity }: InspectedEntity): void {
    if (kind === workspaceKind.name) this.#workspaces.push(id);
    if (kind !== membershipKind.name || (entity as Membership | undefined)?.role !== 'owner') return;
    const owners = this.#byWorkspace.get(workspaceId) ?? new Set();
    this.#byWorkspace.set(workspaceId, owners.add(id));
  }

  /** What to change of the workspaces' own lists of their owners. */
  async settle(store: Store): Promise<readonly Decision[]> {
    const decisions: Decision[] = [];
    for (const workspaceId of this.#workspaces) {
      const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
      const owners = this.#byWorkspace.get(workspaceId) ?? new Set();
      if (workspace === undefined || isSame(workspace, owners)) continue;
      decisions.push({
        workspaceId,
        lane: PRINCIPAL_LANE,
        discord: 'inconsistent',
        outcome: 'kept',
        stored: workspace.revision,
        detail: { owners: String(owners.size) },
        changes: [putAgain(anyKind(workspaceKind), workspace, 0, { owners: [...owners] })],
      });
    }
    return decisions;
  }
}

function isSame({ owners }: Workspace, found: ReadonlySet<string>): boolean {
  return owners.length === found.size && owners.every((id) => found.has(id));
}

import type { KeyMigration } from '../../core/encryption-keys/key-migration.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import type { Workspace } from '../../core/workspaces/workspace.ts';
import type { Commit, EvidentChange } from './evidence.ts';
import { isSealed, rowOf, type Sealed } from './replay.ts';
import { type KeysWorld, MAX_SKEW_MS, OWN_KEYS, WORKSPACES } from './world.ts';

/** What was under way under the former key takes less than this to be written. */
const DRAIN_MS = 5 * 60_000;
const BEGUN = new Set(['encryption_key.changed', 'encryption_key.migration_started']);
const MOVED = 'encryption_key.versions_rewrapped';

/** How one workspace, or the platform, stands after a commit. */
interface Standing {
  readonly id: string;
  /** Its own key, if it has one. */
  keyArn?: string | undefined;
  previous: readonly string[];
  migration?: KeyMigration;
  /** When its migration began: epoch milliseconds. */
  startedAt: number;
  /** The pass in which something was moved last. */
  movedIn?: number;
  /** Given up, and so perhaps taken away. */
  readonly retired: Set<string>;
  readonly sealed: Map<string, Sealed>;
}

/** Under which keys values lie at each moment of a history, and whether that is what the vault says of it. */
class Keys {
  readonly violations: string[] = [];
  readonly standings: ReadonlyMap<string, Standing>;

  constructor() {
    const ids = [PLATFORM_WORKSPACE, ...WORKSPACES];
    this.standings = new Map(
      ids.map((id) => [id, { id, previous: [], startedAt: 0, retired: new Set(), sealed: new Map() }]),
    );
  }

  follow(commit: Commit): void {
    for (const change of commit.changes) this.#note(commit, change);
    for (const change of commit.changes) this.#checkPlace(commit, change);
    const isOver = commit.rows.some(({ action }) => action === 'deployment_key.migration_completed');
    for (const standing of this.standings.values()) {
      if (isOver) standing.retired.add(OWN_KEYS[0]);
      for (const { id, keyArn } of standing.sealed.values())
        if (standing.retired.has(keyArn)) this.#report(`${id} lies under ${keyArn}, which was given up`);
    }
  }

  #note(commit: Commit, change: EvidentChange): void {
    const { op, entity } = change;
    const standing = this.standings.get(entity.workspaceId);
    if (standing === undefined || op === 'check') return;
    if (isSealed(entity)) {
      if (op === 'remove') standing.sealed.delete(entity.id);
      else standing.sealed.set(entity.id, entity);
    }
    if (entity.kind === 'workspace') this.#noteWorkspace(standing, entity as Workspace);
    if (entity.kind === 'keyMigration') this.#noteMigration(standing, commit, entity as KeyMigration);
  }

  #noteWorkspace(standing: Standing, { encryptionKey, previousKeyArns = [] }: Workspace): void {
    for (const keyArn of standing.previous) standing.retired.add(keyArn);
    standing.keyArn = encryptionKey?.keyArn;
    standing.previous = previousKeyArns;
    for (const keyArn of previousKeyArns) standing.retired.delete(keyArn);
    // Whoever has no key of their own has the deployment's, whichever that is.
    const current = standing.keyArn === undefined ? OWN_KEYS : [standing.keyArn];
    for (const keyArn of current) standing.retired.delete(keyArn);
  }

  #noteMigration(standing: Standing, { at, rows, changes }: Commit, migration: KeyMigration): void {
    const { id, pass, state, keyArn } = migration;
    const row = rows.find(({ action }) => action === MOVED);
    const moved = changes.filter((change) => isSealed(change.entity) && rowOf(rows, change) === row).length;
    if (row !== undefined && row.detail['count'] !== String(moved))
      this.#report(`a row says that ${row.detail['count']} values were moved, and there were ${moved}`);
    if (rows.some(({ action, result }) => BEGUN.has(action) && result === 'success')) {
      standing.startedAt = at;
      delete standing.movedIn;
    }
    if (row !== undefined && moved > 0) standing.movedIn = pass;
    const isEnd = state === 'done' && standing.migration?.state !== 'done';
    standing.migration = migration;
    if (!isEnd) return;
    if (standing.movedIn === pass) this.#report(`the migration of ${id} ended with a pass that moved values`);
    if (at < standing.startedAt + DRAIN_MS - 2 * MAX_SKEW_MS)
      this.#report(`the migration of ${id} did not wait for late writers`);
    const rest = [...standing.sealed.values()].filter((sealed) => !keysAfter(keyArn).includes(sealed.keyArn));
    for (const sealed of rest) this.#report(`the migration of ${id} ended without ${sealed.id}`);
  }

  /** Whatever is sealed or moved lies under the key that its workspace has at that moment. */
  #checkPlace({ rows }: Commit, change: EvidentChange): void {
    const { op, entity } = change;
    if (op !== 'put' || !isSealed(entity)) return;
    const standing = this.standings.get(entity.workspaceId);
    const action = rowOf(rows, change)?.action;
    const isPlaced = (entity.kind === 'secretVersion' && entity.revision === 1) || action === MOVED;
    const allowed = standing?.keyArn === undefined ? OWN_KEYS : [standing.keyArn];
    if (isPlaced && !allowed.includes(entity.keyArn))
      this.#report(`${action} put ${entity.id} under ${entity.keyArn}, which is not its workspace's key`);
  }

  #report(violation: string): void {
    this.violations.push(violation);
  }
}

/** The deployment may have a newer key, which nobody brought. */
function keysAfter(keyArn: string): readonly string[] {
  return keyArn === OWN_KEYS[0] ? OWN_KEYS : [keyArn];
}

export function checkKeys({ evidence, environment }: KeysWorld): string[] {
  const keys = new Keys();
  for (const commit of evidence.commits) keys.follow(commit);
  const { own, values } = environment.api;
  const atTheEnd = [...keys.standings.values()].flatMap(({ id, keyArn, migration, sealed }) => {
    const target = id === PLATFORM_WORKSPACE ? own : (keyArn ?? values);
    const elsewhere = [...sealed.values()].filter((one) => one.keyArn !== target);
    return [
      ...elsewhere.map((one) => `at the end, ${one.id} lies under ${one.keyArn}`),
      ...(migration === undefined || migration.state === 'done' ? [] : [`at the end, ${id} is still moving`]),
    ];
  });
  const isOver = evidence.commits.some(({ rows }) =>
    rows.some(({ action }) => action === 'deployment_key.migration_completed'),
  );
  const isUnfinished = own !== OWN_KEYS[0] && !isOver;
  return [
    ...keys.violations,
    ...atTheEnd,
    ...(isUnfinished ? ["at the end, nobody says that the deployment's former key is free"] : []),
  ];
}

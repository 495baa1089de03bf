import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { slicesOf } from '../lifecycle/list-all.ts';
import { commitProgress, tellBlocked } from './commit-progress.ts';
import { endedPass, secondHalf } from './end-pass.ts';
import type { KeyMigration } from './key-migration.ts';
import type { MigrationParts } from './migration-parts.ts';
import { type Refusals, rewrapValues } from './rewrap-values.ts';
import { walkPeople } from './walk-people.ts';
import { walkSecrets } from './walk-secrets.ts';
import type { Found, WrappedValue } from './wrapped-value.ts';

/** Values moved in one commit: at most 1.3 MB of the 4 MB that one may have, and 22 of its 100 items. */
const SLICE = 20;
/** After so many secrets without anything to move, the place is noted. */
const SAVE_EVERY = 500;
/** Of values that cannot be moved, so many are named in a row: each name has at most 50 of its 512 characters. */
const NAMED = 10;

export interface WalkOptions {
  readonly mayGoOn: () => boolean;
  readonly refusals: Refusals;
  /** Told after each commit how many values it moved. */
  readonly onMoved: (count: number) => void;
}

/**
 * Goes through one of the lists of a pass from where it is, moves what it finds, and at the end of the list goes over to the
 * next one, or ends the pass. What is found is moved, and only then is the place behind it noted, in the same commit.
 *
 * @throws RefusedChanges when somebody was faster: read the migration again; VaultError `unavailable`.
 */
export async function walkList(
  parts: MigrationParts,
  begun: KeyMigration,
  { mayGoOn, ...options }: WalkOptions,
): Promise<void> {
  const walk = begun.workspaceId === PLATFORM_WORKSPACE ? walkPeople : walkSecrets;
  let migration: KeyMigration = begun;
  let pending = nothing(migration);
  for await (const found of walk(parts.store, begun)) {
    pending = joined(pending, found);
    const isOver = !mayGoOn();
    if (isOver || pending.values.length >= SLICE || pending.looked >= SAVE_EVERY) {
      migration = await save(parts, migration, pending, options);
      pending = nothing(migration);
    }
    if (isOver) return;
  }
  if (pending.values.length > 0) {
    migration = await save(parts, migration, pending, options);
    pending = nothing(migration);
  }
  await endList(parts, { ...migration, ...counted(migration, pending) });
}

function nothing({ position }: KeyMigration): Found {
  return { values: [], looked: 0, unreadable: 0, position };
}

/** A person is in several workspaces, and a commit takes each change once. */
function joined(before: Found, found: Found): Found {
  const known = new Set(before.values.map(nameOf));
  return {
    values: [...before.values, ...found.values.filter((value) => !known.has(nameOf(value)))],
    looked: before.looked + found.looked,
    unreadable: before.unreadable + found.unreadable,
    position: found.position,
  };
}

function nameOf({ name: { secretId, version } }: WrappedValue): string {
  return `${secretId}.${version}`;
}

/** Moves what was found, slice by slice; the last one notes the place. */
async function save(
  parts: MigrationParts,
  begun: KeyMigration,
  pending: Found,
  options: Omit<WalkOptions, 'mayGoOn'>,
): Promise<KeyMigration> {
  const slices = slicesOf(pending.values, SLICE);
  let migration = begun;
  for (const slice of slices.slice(0, -1)) migration = await saveSlice(parts, migration, slice, {}, options);
  const noted = { ...counted(migration, pending), position: pending.position };
  return saveSlice(parts, migration, slices.at(-1) ?? [], noted, options);
}

function counted({ passLooked, passBlocked }: KeyMigration, { looked, unreadable }: Found) {
  return { passLooked: passLooked + looked, passBlocked: passBlocked + unreadable };
}

/**
 * Moves some values in one commit. A crash before it leaves them under their former key, one after it under the new one.
 *
 * @param patch what is noted with it, if all of the values could be dealt with.
 */
async function saveSlice(
  parts: MigrationParts,
  migration: KeyMigration,
  values: readonly WrappedValue[],
  patch: Partial<Pick<KeyMigration, 'passLooked' | 'passBlocked' | 'position'>>,
  { refusals, onMoved }: Omit<WalkOptions, 'mayGoOn'>,
): Promise<KeyMigration> {
  const { keyArn, moved, passMoved } = migration;
  const { changes, blocked, failure } = await rewrapValues(parts.keys, values, keyArn, refusals);
  if (failure !== undefined && changes.length === 0) throw failure;
  const passBlocked = (patch.passBlocked ?? migration.passBlocked) + blocked.length;
  const next = await commitProgress(parts, migration, {
    action: 'encryption_key.versions_rewrapped',
    detail: { count: String(changes.length), ...(blocked.length === 0 ? {} : toldBlocked(blocked)) },
    patch: {
      ...(failure === undefined ? { ...patch, passBlocked } : {}),
      moved: moved + changes.length,
      passMoved: passMoved + changes.length,
    },
    changes,
  });
  onMoved(changes.length);
  if (failure !== undefined) throw failure;
  return next.migration;
}

function toldBlocked(blocked: readonly WrappedValue[]) {
  return { blocked: String(blocked.length), which: blocked.slice(0, NAMED).map(nameOf).join(' ') };
}

/** @param migration with what was counted since the last commit. */
async function endList(parts: MigrationParts, migration: KeyMigration): Promise<void> {
  const now = parts.clock.now();
  const patch = migration.position.list === 'live' ? secondHalf(now) : endedPass(migration, now);
  const [action, detail] = told(migration, patch);
  const { event } = await commitProgress(parts, migration, { action, detail, patch, changes: [] });
  // Whoever dies before this tells it at the end of the next pass.
  if (action === 'encryption_key.migration_blocked') await tellBlocked(parts.alerts, migration, event);
}

function told({ moved, passBlocked }: KeyMigration, { state }: Partial<KeyMigration>) {
  switch (state) {
    case 'done':
      return ['encryption_key.migration_completed', { moved: String(moved) }] as const;
    case 'blocked':
      return ['encryption_key.migration_blocked', { blocked: String(passBlocked) }] as const;
    default:
      return ['encryption_key.versions_rewrapped', { count: '0' }] as const;
  }
}

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
/** After so many secrets, some seconds of reading, without anything to move, the place is noted. */
const SAVE_EVERY = 5_000;
/** Of what cannot be moved, so much is named in a row: each name has at most 50 of its 512 characters. */
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
  let work = nothingPending(begun);
  for await (const found of walk(parts.store, begun)) {
    work = { ...work, pending: joined(work.pending, found) };
    const isOver = !mayGoOn();
    if (isOver || work.pending.values.length >= SLICE) work = await move(parts, work, options);
    if (isOver || work.pending.looked >= SAVE_EVERY) work = await note(parts, work);
    if (isOver) return;
  }
  await endList(parts, await move(parts, work, options));
}

/** What was found and is not yet part of the migration as it is stored. */
interface Pending extends Omit<Found, 'unreadable'> {
  /** How much of it cannot be moved, and the first of those by name. */
  readonly blocked: { readonly count: number; readonly names: readonly string[] };
}

interface Work {
  readonly migration: KeyMigration;
  readonly pending: Pending;
}

function nothingPending(migration: KeyMigration): Work {
  const { position } = migration;
  return { migration, pending: { values: [], looked: 0, blocked: { count: 0, names: [] }, position } };
}

/** A person is in several workspaces, and a commit takes each change once. */
function joined(before: Pending, found: Found): Pending {
  const known = new Set(before.values.map(nameOf));
  return {
    values: [...before.values, ...found.values.filter((value) => !known.has(nameOf(value)))],
    looked: before.looked + found.looked,
    blocked: withBlocked(before, found.unreadable),
    position: found.position,
  };
}

function nameOf({ name: { secretId, version } }: WrappedValue): string {
  return `${secretId}.${version}`;
}

function withBlocked({ blocked }: Pending, names: readonly string[]): Pending['blocked'] {
  return { count: blocked.count + names.length, names: [...blocked.names, ...names].slice(0, NAMED) };
}

/**
 * Moves the values that were found, slice by slice; the commit of the last one notes the place. A slice of which nothing
 * can be moved has no commit: whoever takes a key away from many secrets would have a row for each few of them in each pass.
 */
async function move(
  parts: MigrationParts,
  { migration, pending }: Work,
  options: Omit<WalkOptions, 'mayGoOn'>,
): Promise<Work> {
  const slices = slicesOf(pending.values, SLICE);
  let work: Work = { migration, pending: { ...pending, values: [] } };
  for (const [index, slice] of slices.entries())
    work = await moveSlice(parts, work, slice, { ...options, isLast: index === slices.length - 1 });
  return work;
}

/** Moves some values in one commit. A crash before it leaves them under their former key, one after it under the new one. */
async function moveSlice(
  parts: MigrationParts,
  { migration, pending }: Work,
  values: readonly WrappedValue[],
  { refusals, onMoved, isLast }: Omit<WalkOptions, 'mayGoOn'> & { readonly isLast: boolean },
): Promise<Work> {
  const { keyArn, moved, passMoved } = migration;
  const { changes, blocked, failure } = await rewrapValues(parts.keys, values, keyArn, refusals);
  const dealtWith = { ...pending, blocked: withBlocked(pending, blocked.map(nameOf)) };
  if (changes.length > 0) {
    const isNoted = isLast && failure === undefined;
    const next = await commitProgress(parts, migration, {
      action: 'encryption_key.versions_rewrapped',
      detail: { count: String(changes.length), ...(isNoted ? toldBlocked(dealtWith) : {}) },
      patch: {
        ...(isNoted ? noted(migration, dealtWith) : {}),
        moved: moved + changes.length,
        passMoved: passMoved + changes.length,
      },
      changes,
    });
    onMoved(changes.length);
    if (isNoted) return nothingPending(next.migration);
    if (failure === undefined) return { migration: next.migration, pending: dealtWith };
  }
  if (failure !== undefined) throw failure;
  return { migration, pending: dealtWith };
}

/** Notes the place, if it is another one by now. */
async function note(parts: MigrationParts, { migration, pending }: Work): Promise<Work> {
  if (pending.position === migration.position) return { migration, pending };
  const next = await commitProgress(parts, migration, {
    action: 'encryption_key.versions_rewrapped',
    detail: { count: '0', ...toldBlocked(pending) },
    patch: noted(migration, pending),
    changes: [],
  });
  return nothingPending(next.migration);
}

function noted({ passLooked, passBlocked }: KeyMigration, { looked, blocked, position }: Pending) {
  return { passLooked: passLooked + looked, passBlocked: passBlocked + blocked.count, position };
}

function toldBlocked({ blocked: { count, names } }: Pending): { readonly [key: string]: string } {
  return count === 0 ? {} : { blocked: String(count), which: names.join(' ') };
}

async function endList(parts: MigrationParts, { migration, pending }: Work): Promise<void> {
  const now = parts.clock.now();
  const counted = { ...migration, ...noted(migration, pending) };
  const patch = migration.position.list === 'live' ? secondHalf(now) : endedPass(counted, now);
  const [action, detail] = told(counted, patch);
  const { event } = await commitProgress(parts, counted, {
    action,
    detail: { ...toldBlocked(pending), ...detail },
    patch,
    changes: [],
  });
  // Whoever dies before this tells it at the end of the next pass.
  if (action === 'encryption_key.migration_blocked') await tellBlocked(parts.alerts, counted, event);
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

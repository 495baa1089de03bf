import { type Change, create, update } from '../kernel/entity.ts';
import { type KeyMigration, keyMigrationKind } from './key-migration.ts';

/** What a migration is to do, and from when on (a timestamp). */
interface NewMigration extends Pick<KeyMigration, 'workspaceId' | 'keyArn' | 'reason'> {
  readonly at: string;
}

/**
 * The change that has all versions of a workspace moved under a key, from the first one on: whatever an earlier migration
 * had done or had left to do, it was for another key. It belongs into the commit which changes the key.
 *
 * @param earlier the workspace's migration, done or not, as it was read for this commit.
 */
export function startedMigration(
  earlier: KeyMigration | undefined,
  { workspaceId, keyArn, reason, at }: NewMigration,
): Change & { readonly entity: KeyMigration } {
  const content = { keyArn, reason, ...fromTheBeginning(at) };
  return earlier === undefined
    ? create(keyMigrationKind, { workspaceId, id: workspaceId, ...content })
    : update(keyMigrationKind, earlier, content);
}

/** How a migration stands when nothing of it is done. */
export function fromTheBeginning(at: string) {
  return {
    state: 'moving',
    startedAt: at,
    finishedAt: undefined,
    pass: 1,
    passStartedAt: at,
    position: { list: 'live' },
    notBefore: undefined,
    moved: 0,
    passLooked: 0,
    passMoved: 0,
    passBlocked: 0,
    passDisturbed: false,
  } as const;
}

/** Whether a migration has everything still before it. */
export function isAtTheBeginning({ state, pass, position }: KeyMigration): boolean {
  const { list, after, version } = position;
  const isUnmoved = list === 'live' && after === undefined && version === undefined;
  return state === 'moving' && pass === 1 && isUnmoved;
}

import type { AuditTrail } from '../../core/audit/trail.ts';
import type { DeploymentKey } from '../../core/encryption-keys/deployment-key.ts';
import type { KeyMigration } from '../../core/encryption-keys/key-migration.ts';
import type { Change, Entity } from '../../core/kernel/entity.ts';
import type { Store } from '../../core/kernel/store.ts';
import { entityKey } from '../support/memory-store.ts';
import { playRestoredBetween, type Report } from './history.ts';
import type { Broken, KeysWorld } from './world.ts';

/** Puts other ports in the places of some of them. */
type Alter = <P extends { readonly store: Store; readonly trail: AuditTrail }>(
  parts: P,
  world: KeysWorld,
) => P;

export interface Mutant {
  readonly name: string;
  readonly broken: Broken;
  /** What the checker has to say of it. */
  readonly caughtBy: RegExp;
  /** The first history that shows it. */
  readonly firstSeed?: number;
  /** The story that shows it, where that is hardly any other. */
  readonly story?: (seed: number, broken: Broken) => Promise<Report>;
}

const HOUR_MS = 3_600_000;

/** Broken ways of moving values, as a mistake in the program would make them, seen at their ports. */
export const mutants: readonly Mutant[] = [
  {
    name: 'a pass that moved something and is the last one all the same',
    caughtBy: /ended with a pass that moved values/,
    broken: {
      rewrapper: withMigrations((migration) =>
        migration.position.list === 'over' && migration.state === 'moving' && migration.passMoved > 0
          ? { ...migration, state: 'done' }
          : migration,
      ),
    },
  },
  {
    name: 'a migration that is done while values cannot be moved',
    caughtBy: /ended without sec_/,
    broken: {
      rewrapper: withMigrations((migration) =>
        migration.state === 'blocked' ? { ...migration, state: 'done' } : migration,
      ),
    },
  },
  {
    name: 'a migration that waits for no late writers',
    caughtBy: /did not wait for late writers/,
    broken: {
      rewrapper: withReads('keyMigration', ({ startedAt, notBefore: _, ...migration }) => ({
        ...migration,
        startedAt: earlier(startedAt),
      })),
    },
  },
  {
    name: 'a pass that overlooks what was restored meanwhile',
    firstSeed: 37,
    caughtBy: /ended without sec_/,
    broken: { rewrapper: withReads('keyMigration', (migration) => ({ ...migration, passDisturbed: false })) },
  },
  {
    name: 'a pass that overlooks what was restored before it began',
    caughtBy: /ended without sec_/,
    story: playRestoredBetween,
    broken: {
      rewrapper: withReads('keyMigration', (migration) =>
        migration.position.list === 'over' ? { ...migration, passDisturbed: false } : migration,
      ),
    },
  },
  {
    name: 'a pass over live secrets alone',
    caughtBy: /ended without sec_/,
    broken: {
      rewrapper: withLists(async (read, list) => (list.endsWith('#deletedSecrets') ? { items: [] } : read())),
    },
  },
  {
    name: 'a pass over one page of each list',
    firstSeed: 5,
    caughtBy: /ended without sec_/,
    broken: {
      rewrapper: withLists(async (read) => ({ items: (await read(5)).items })),
    },
  },
  {
    name: 'values that are put without regard to what became of them',
    firstSeed: 124,
    caughtBy: /back from the dead|skipped a revision|altered/,
    broken: { rewrapper: blindly('secretVersion') },
  },
  {
    name: 'a run that does not notice that the key changed',
    firstSeed: 17,
    caughtBy: /not its workspace's key/,
    broken: { rewrapper: blindly('keyMigration') },
  },
  {
    name: 'values that name a key which does not open them',
    caughtBy: /does not open under the key/,
    broken: {
      rewrapper: (parts) => ({
        ...parts,
        keys: {
          reEncrypt: async (wrapped, ...rest) => {
            await parts.keys.reEncrypt(wrapped, ...rest);
            return wrapped;
          },
        },
      }),
    },
  },
  {
    name: 'writers that do not look whether the key is still the same',
    firstSeed: 6,
    caughtBy: /not its workspace's key/,
    broken: { api: withChanges(({ op, entity }) => op !== 'check' || entity.kind !== 'workspace') },
  },
  {
    name: 'a key that is changed without a migration',
    caughtBy: /at the end, sec_/,
    broken: { api: withChanges(({ entity }) => entity.kind !== 'keyMigration') },
  },
  {
    name: 'keys that are given up before the migration is done',
    caughtBy: /which was given up/,
    broken: {
      api: withReads('keyMigration', (migration) => ({ ...migration, state: 'done' })),
    },
  },
  {
    name: "a deployment's key that is followed before all functions have it",
    firstSeed: 31,
    caughtBy: /which was given up|ended without|at the end/,
    broken: {
      rewrapper: withReads('deploymentKey', ({ since, ...key }) => ({ ...key, since: earlier(since) })),
    },
  },
];

interface Kinds {
  readonly keyMigration: KeyMigration;
  readonly deploymentKey: DeploymentKey;
}

/** Entities of a kind are read as others than they are. */
function withReads<K extends keyof Kinds>(name: K, patch: (entity: Kinds[K]) => Kinds[K]): Alter {
  return (parts) => {
    const get: Store['get'] = async (kind, ...ref) => {
      const found = await parts.store.get(kind, ...ref);
      const isMeant = found !== undefined && kind.name === name;
      return isMeant ? (patch(found as unknown as Kinds[K]) as unknown as typeof found) : found;
    };
    return { ...parts, store: { ...parts.store, get } };
  };
}

type Pages = (
  read: (limit?: number) => Promise<{ readonly items: readonly Entity[]; readonly next?: string }>,
  list: string,
) => Promise<{ readonly items: readonly Entity[]; readonly next?: string }>;

function withLists(pages: Pages): Alter {
  return (parts) => {
    const list: Store['list'] = async (kind, query) => {
      const read = (limit = query.limit) => parts.store.list(kind, { ...query, limit });
      return (await pages(read, query.list)) as Awaited<ReturnType<typeof read>>;
    };
    return { ...parts, store: { ...parts.store, list } };
  };
}

/** What is committed is altered, or left out. */
function withCommits(alter: (change: Change, world: KeysWorld) => readonly Change[]): Alter {
  return (parts, world) => {
    const commit: AuditTrail['commit'] = (origin, events) =>
      parts.trail.commit(
        origin,
        events.map((event) => ({
          ...event,
          changes: (event.changes ?? []).flatMap((change) => alter(change, world)),
        })),
      );
    return { ...parts, trail: { commit } };
  };
}

function withChanges(isMade: (change: Change) => boolean): Alter {
  return withCommits((change) => (isMade(change) ? [change] : []));
}

function withMigrations(patch: (migration: KeyMigration) => KeyMigration): Alter {
  return withCommits((change) => {
    if (change.op !== 'put' || change.entity.kind !== 'keyMigration') return [change];
    return [{ ...change, entity: patch(change.entity as KeyMigration) }];
  });
}

/** Entities of a kind are put whatever they are by then. */
function blindly(kind: string): Alter {
  return withCommits((change, { tables }) => {
    if (change.op !== 'put' || change.entity.kind !== kind) return [change];
    const now = tables.entities.get(entityKey(change.entity))?.entity.revision;
    return [{ ...change, expect: now ?? 'absent' }];
  });
}

function earlier(at: string): string {
  return new Date(Date.parse(at) - HOUR_MS).toISOString();
}

import * as z from 'zod';
import type { Kind } from '../kernel/entity.ts';

/**
 * Where a pass over the secrets of a workspace is: in which of its lists, and after which place. Of the platform: first the
 * workspaces, whose members are looked at, then the people who are in none.
 */
const positionSchema = z.strictObject({
  list: z.enum(['live', 'deleted', 'over']),
  /** A list position; absent at the beginning. */
  after: z.string().optional(),
  /** The id of the last version looked at, of a secret that comes after that and has more of them. */
  version: z.string().optional(),
});

export type MigrationPosition = z.infer<typeof positionSchema>;

/** Where to go on in the list, as a query wants it. */
export function placeOf({ after }: MigrationPosition): { readonly after?: string } {
  return after === undefined ? {} : { after };
}

/**
 * How far the versions of a workspace are moved under the key that wraps its new ones. One to a workspace, its id the
 * workspace's; of the platform's, the second factors are moved. A pass looks at every version; the migration is done
 * once a whole pass, begun after nobody could write under another key any more, found nothing to move.
 */
const keyMigrationSchema = z.strictObject({
  kind: z.literal('keyMigration'),
  workspaceId: z.string(),
  id: z.string(),
  revision: z.int().min(1),
  /** The key that all versions are to lie under. */
  keyArn: z.string(),
  /** Why: the workspace changed its key, or the deployment its own. */
  reason: z.enum(['workspace', 'deployment']),
  /** `blocked`: the last pass met versions that cannot be moved; another one follows. */
  state: z.enum(['moving', 'blocked', 'done']),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  /** From 1. */
  pass: z.int().min(1),
  passStartedAt: z.string(),
  position: positionSchema,
  /** Nothing is done before. */
  notBefore: z.string().optional(),
  /** Versions moved since the migration began. */
  moved: z.int().min(0),
  /** Of the present pass: secrets looked at, versions moved, and versions that could not be. */
  passLooked: z.int().min(0),
  passMoved: z.int().min(0),
  passBlocked: z.int().min(0),
  /** Whether something went from one list to another during this pass, and may so have slipped past it. */
  passDisturbed: z.boolean(),
});

export type KeyMigration = z.infer<typeof keyMigrationSchema>;

/** The migrations of all workspaces that are not done. */
export const OPEN_MIGRATIONS = 'keyMigrations#open';
const DONE_MIGRATIONS = 'keyMigrations#done';

export const keyMigrationKind: Kind<KeyMigration> = {
  name: 'keyMigration',
  schema: keyMigrationSchema,
  listing: ({ id, state }) => ({ list: state === 'done' ? DONE_MIGRATIONS : OPEN_MIGRATIONS, key: id }),
};

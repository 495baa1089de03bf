import type { Change, Entity, Kind } from '../kernel/entity.ts';

/** How a stored entity and the rows of its workspace are at odds. */
export type Discord =
  /** A later row changed it, and the change is not in the backup. */
  | 'behind'
  /** It was changed by a row that never came. */
  | 'ahead'
  /** Rows say that it is there. */
  | 'gone'
  /** Only a row tells of it that no signed head covers, and that anybody may have added to a backup. */
  | 'unsealed'
  /** No row tells of it, and none can have been lost: somebody altered it. */
  | 'unexplained'
  /** It does not fit what it belongs to. */
  | 'inconsistent';

export type Outcome =
  /** Stays as it is, and what a later row had made of it is lost. */
  | 'kept'
  /** Stands as the rows say, as far as they say it. */
  | 'as_recorded'
  /** Gives no access any more: revoked, ended or locked. */
  | 'closed'
  | 'removed'
  /** Not there any more, and now the trail says so. */
  | 'lost'
  /** There again, since it keeps something closed or whole. */
  | 'recreated';

/** What is done about an entity, with its row. */
export interface Decision {
  readonly workspaceId: string;
  readonly lane: number;
  readonly discord: Discord;
  readonly outcome: Outcome;
  /** The revision that was found in the table, and the one that the rows speak of. */
  readonly stored?: number;
  readonly recorded?: number;
  /** More to tell, such as `which`. */
  readonly detail?: { readonly [key: string]: string };
  readonly changes: readonly [Change, ...Change[]];
}

/** What changes of an entity; its revision follows both the stored and the recorded one. */
export type Patch = { readonly [field: string]: unknown };

/**
 * Puts a stored entity again, so that it gets a row of its own.
 *
 * @param recorded the newest revision that rows speak of; 0 for none.
 */
export function putAgain(kind: Kind<Entity>, stored: Entity, recorded: number, patch: Patch = {}): Change {
  const content = Object.entries({ ...stored, ...patch }).filter(([, value]) => value !== undefined);
  const { revision } = stored;
  const next = { ...Object.fromEntries(content), revision: Math.max(revision, recorded) + 1 } as Entity;
  // Some kinds have one revision for life.
  const isRefused = !kind.schema.safeParse(next).success;
  return { op: 'put', kind, entity: isRefused ? { ...next, revision } : next, expect: revision };
}

/** Removes a stored entity; its last revision is behind both the stored and the recorded one. */
export function removeAgain(kind: Kind<Entity>, stored: Entity, recorded: number): Change {
  const { revision } = stored;
  return {
    op: 'remove',
    kind,
    entity: { ...stored, revision: Math.max(revision, recorded) },
    expect: revision,
  };
}

/** Says that an entity of which rows speak is not there any more. */
export function declareLost(
  kind: Kind<Entity>,
  ref: { readonly workspaceId: string; readonly id: string },
  recorded: number,
): Change {
  const { workspaceId, id } = ref;
  return {
    op: 'remove',
    kind,
    entity: { kind: kind.name, workspaceId, id, revision: recorded },
    expect: 'absent',
  };
}

/** Makes an entity of which rows speak anew. */
export function createAgain(
  kind: Kind<Entity>,
  content: Patch & { readonly workspaceId: string; readonly id: string },
  recorded: number,
): Change {
  const entity: Entity = { ...content, kind: kind.name, revision: recorded + 1 };
  return { op: 'put', kind, entity, expect: 'absent' };
}

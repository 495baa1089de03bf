import type { Entity } from '../kernel/entity.ts';

/** An entity as it lies in the table, unchecked, and what the table says of the row that last changed it. */
export interface InspectedEntity {
  readonly workspaceId: string;
  readonly kind: string;
  readonly id: string;
  /** The content, or `undefined` when it does not fit any kind of entity. */
  readonly entity: Entity | undefined;
  readonly row: { readonly lane: number; readonly seq: number };
  /** Whether the stored item is exactly what the vault would have written for this content: keys, indexes and all. */
  readonly exact: boolean;
}

/** Some entities, in an order of the table's own. */
export interface EntityPage {
  readonly entities: readonly InspectedEntity[];
  /** Where the page ends; absent on the last. */
  readonly next?: string;
}

export interface EntityName {
  readonly kind: string;
  readonly id: string;
}

/** Looks at entities as they are stored, for the verifier: no schema, no tenant's view. Consistent reads. */
export interface EntityInspector {
  /** In the order of the names; `undefined` where there is none. Any number of names. */
  inspect(
    workspaceId: string,
    names: readonly EntityName[],
  ): Promise<readonly (InspectedEntity | undefined)[]>;
  /** One page of all entities of all workspaces, after the page that ended at `after`: a table scan, for the daily job. */
  scanPage(after?: string): Promise<EntityPage>;
}

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
  /** Every entity of every workspace, page by page: a table scan, for the daily job alone. */
  scan(): AsyncIterable<readonly InspectedEntity[]>;
}

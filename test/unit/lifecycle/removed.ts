import type { InspectedEntity } from '../../../core/audit/entity-inspector.ts';
import { isExplained } from '../../../core/detection/explain-change.ts';
import type { PurgeParts } from '../../../core/lifecycle/purge-parts.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';

/** What the purge works with, with all the time that it wants. */
export function purgeParts(vault: MemoryVault, mayGoOn: () => boolean = () => true): PurgeParts {
  return { ...vault, mayGoOn };
}

/**
 * The kinds of what some work removes; fails where the guard would find that no row explains a removal.
 */
export async function removedBy(vault: MemoryVault, work: () => Promise<unknown>): Promise<string[]> {
  const last = new Map(vault.tables.entities);
  // What is changed before it is removed is removed as it was then.
  vault.tables.answers = async () => {
    for (const [key, stored] of vault.tables.entities) last.set(key, stored);
  };
  await work();
  vault.tables.answers = async () => undefined;
  const gone = [...last].filter(([key]) => !vault.tables.entities.has(key)).map(([, stored]) => stored);
  for (const { entity, row } of gone) {
    const { workspaceId, kind, id } = entity;
    const inspected: InspectedEntity = { workspaceId, kind, id, entity, row, exact: true };
    const at = vault.clock.now();
    const change = { table: 'vault', before: inspected, after: undefined, at, expired: false } as const;
    if (!(await isExplained(vault, change))) throw new Error(`No row explains that ${kind} ${id} is gone.`);
  }
  return gone.map(({ entity }) => entity.kind).toSorted();
}

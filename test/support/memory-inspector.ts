import type { EntityInspector, InspectedEntity } from '../../core/audit/entity-inspector.ts';
import type { Entity, Kind } from '../../core/kernel/entity.ts';
import { deepCopy, entityKey, type StoredEntity } from './memory-store.ts';

type PerformCall = <T>(name: string, work: () => T) => Promise<T>;

/** What one page of a scan holds at most. */
const PAGE = 50;

/** The `EntityInspector` port over a map of entities. `call` performs each read with its faults. */
export function memoryInspector(
  entities: ReadonlyMap<string, StoredEntity>,
  kinds: ReadonlyMap<string, Kind<Entity>>,
  call: PerformCall,
): EntityInspector {
  const look = (key: string): InspectedEntity | undefined => {
    const stored = entities.get(key);
    return stored && inspected(kinds, key, stored);
  };
  return {
    inspect: (workspaceId, names) =>
      call('inspector.inspect', () => names.map((name) => look(entityKey({ ...name, workspaceId })))),
    scanPage: (after) =>
      call('inspector.scanPage', () => {
        const keys = [...entities.keys()].sort().filter((key) => after === undefined || key > after);
        const page = keys.slice(0, PAGE);
        const found = page.flatMap((key) => look(key) ?? []);
        const next = page.at(-1);
        return keys.length === page.length || next === undefined
          ? { entities: found }
          : { entities: found, next };
      }),
  };
}

/** What somebody finds who looks at a stored entity, whatever it is. */
export function inspected(
  kinds: ReadonlyMap<string, Kind<Entity>>,
  key: string,
  stored: StoredEntity,
): InspectedEntity {
  const content: Partial<Entity> = deepCopy(stored.entity);
  const parsed = kinds.get(String(content.kind))?.schema.safeParse(content);
  const entity = parsed?.success ? parsed.data : undefined;
  return {
    workspaceId: String(content.workspaceId ?? ''),
    kind: String(content.kind ?? ''),
    id: String(content.id ?? key),
    entity,
    row: { ...stored.row },
    exact: entity !== undefined && entityKey(entity) === key,
  };
}

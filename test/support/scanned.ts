import type { EntityInspector, InspectedEntity } from '../../core/audit/entity-inspector.ts';

/** Every entity of every workspace. */
export async function scanned(inspector: EntityInspector): Promise<InspectedEntity[]> {
  const found: InspectedEntity[] = [];
  let after: string | undefined;
  do {
    const page = await inspector.scanPage(after);
    found.push(...page.entities);
    after = page.next;
  } while (after !== undefined);
  return found;
}

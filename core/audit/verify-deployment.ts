import { entityDigest } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { readRow } from './build-rows.ts';
import type { InspectedEntity } from './entity-inspector.ts';
import { systemOrigin } from './lane-start.ts';
import type { AuditTrail } from './trail.ts';
import { verifiedEvent } from './verify-audit.ts';
import type { Break } from './verify-lane.ts';
import { type Verification, type VerifyParts, verifyWorkspace } from './verify-workspace.ts';

export interface WorkspaceVerification extends Verification {
  readonly workspaceId: string;
}

type Parts = VerifyParts & { readonly trail: AuditTrail };

/**
 * The daily verification: every workspace with all its rows and entities, and, the other way round, every entity in the
 * table: each must be explained by the row that it names, so that one slipped in behind the vault's back is found too.
 * Workspaces are those that any entity names, so that spoiling one item hides none. Each outcome is recorded in the
 * workspace's own trail.
 */
export async function verifyDeployment(parts: Parts): Promise<readonly WorkspaceVerification[]> {
  const unexplained = await unexplainedEntities(parts);
  const results: WorkspaceVerification[] = [];
  for (const [workspaceId, strangers] of unexplained) {
    const verification = await verifyWorkspace(parts, workspaceId);
    const breaks = [...verification.breaks, ...newBreaks(verification.breaks, strangers)];
    const result = { ...verification, workspaceId, breaks, ok: breaks.length === 0 };
    if (result.rows > 0) {
      await parts.trail.commit(systemOrigin(workspaceId, 'verifier'), [verifiedEvent(workspaceId, result)]);
    }
    results.push(result);
  }
  return results;
}

/** For each workspace of the table, and for the platform: the entities that the row they name does not speak of. */
async function unexplainedEntities({ inspector, ledger }: Parts): Promise<ReadonlyMap<string, Break[]>> {
  const found = new Map<string, Break[]>([[PLATFORM_WORKSPACE, []]]);
  for await (const page of inspector.scan()) {
    for (const inspected of page) {
      const { workspaceId, kind, id, row } = inspected;
      const breaks = found.get(workspaceId) ?? [];
      found.set(workspaceId, breaks);
      if (await isExplained(ledger, inspected)) continue;
      breaks.push({ ...row, reason: 'entity_unexplained', entity: { kind, id } });
    }
  }
  return found;
}

async function isExplained(ledger: Parts['ledger'], inspected: InspectedEntity): Promise<boolean> {
  const { workspaceId, kind, id, entity, row } = inspected;
  if (entity === undefined || !inspected.exact) return false;
  const stored = await ledger.row({ workspaceId, lane: row.lane }, row.seq);
  const digest = entityDigest(entity);
  const changes = (stored && readRow(stored)?.changes) ?? [];
  return changes.some((change) => change.kind === kind && change.id === id && change.digest === digest);
}

/** An entity that was edited in place shows from both sides; tell it once. */
function newBreaks(known: readonly Break[], found: readonly Break[]): Break[] {
  const name = ({ entity }: Break): string => `${entity?.kind}/${entity?.id}`;
  const told = new Set(known.map(name));
  return found.filter((one) => !told.has(name(one)));
}

import { type AuditEvent, PRINCIPAL_LANE } from '../../core/audit/event.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import type { AuditTrail } from '../../core/audit/trail.ts';
import { verifiedEvent } from '../../core/audit/verify-audit.ts';
import { type Break, GENESIS, verifyLane } from '../../core/audit/verify-lane.ts';
import {
  type ScannedEntity,
  type Verification,
  type VerifyParts,
  verifyWorkspace,
} from '../../core/audit/verify-workspace.ts';
import { PLATFORM_WORKSPACE } from '../../core/kernel/ids.ts';
import { scanned } from './scanned.ts';

export interface WorkspaceResult {
  readonly workspaceId: string;
  /** Absent where the verification itself failed: as alarming as a break. */
  readonly verification?: Verification;
  readonly error?: unknown;
}

type Parts = VerifyParts & { readonly trail: AuditTrail };

/**
 * A verification of everything in one go and all in memory, to check histories with: every workspace with all its rows
 * and entities, and, the other way round, every entity in the table: each must be one that the workspace's rows speak of,
 * so that one slipped in behind the vault's back is found.
 *
 * Each result is recorded in the workspace's own trail and given out as soon as it stands; a workspace that cannot be
 * verified keeps no other from it. Every workspace seen is registered once in the platform's trail, so that one that
 * vanishes as a whole is missed.
 */
export async function* verifyDeployment(parts: Parts): AsyncGenerator<WorkspaceResult> {
  const scanned = await scanEntities(parts);
  const registered = await registeredWorkspaces(parts);
  for (const workspaceId of new Set([PLATFORM_WORKSPACE, ...registered, ...scanned.keys()])) {
    try {
      const entities = scanned.get(workspaceId) ?? [];
      const verification = await verifyOne(parts, workspaceId, entities, registered.has(workspaceId));
      // A forger may name any workspace in an entity; one that has rows exists.
      const isNew =
        verification.rows > 0 && !registered.has(workspaceId) && workspaceId !== PLATFORM_WORKSPACE;
      if (isNew)
        await parts.trail.commit(systemOrigin(PLATFORM_WORKSPACE, 'verifier'), [registration(workspaceId)]);
      yield { workspaceId, verification };
    } catch (error) {
      yield { workspaceId, error };
    }
  }
}

async function verifyOne(
  parts: Parts,
  workspaceId: string,
  entities: readonly ScannedEntity[],
  mustExist: boolean,
): Promise<Verification> {
  const found = await verifyWorkspace(parts, workspaceId, entities);
  const vanished: Break[] = mustExist && found.rows === 0 ? [{ lane: 0, seq: 1, reason: 'missing_row' }] : [];
  const breaks = [...vanished, ...found.breaks];
  const verification = { ...found, breaks, ok: breaks.length === 0 };
  if (found.rows > 0) {
    await parts.trail.commit(systemOrigin(workspaceId, 'verifier'), [
      verifiedEvent(workspaceId, verification),
    ]);
  }
  return verification;
}

/** What lies in the table, by the workspace that it says it belongs to. */
async function scanEntities({ inspector }: Parts): Promise<ReadonlyMap<string, ScannedEntity[]>> {
  const found = new Map<string, ScannedEntity[]>();
  for (const { workspaceId, kind, id, row, exact } of await scanned(inspector)) {
    const entities = found.get(workspaceId) ?? [];
    entities.push({ kind, id, row, exact });
    found.set(workspaceId, entities);
  }
  return found;
}

function registration(workspaceId: string): AuditEvent {
  return {
    action: 'workspace.registered',
    entity: { type: 'workspace', id: workspaceId },
    result: 'success',
  };
}

async function registeredWorkspaces({ ledger }: Parts): Promise<ReadonlySet<string>> {
  const registered = new Set<string>();
  const platform = { workspaceId: PLATFORM_WORKSPACE, lane: PRINCIPAL_LANE };
  await verifyLane(ledger, platform, GENESIS, undefined, ({ action, entity }) => {
    if (action === 'workspace.registered') registered.add(entity.id);
  });
  return registered;
}

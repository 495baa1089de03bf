import { purgeExpired } from '../secrets/purge-expired.ts';
import { everyWorkspace } from '../workspaces/every-workspace.ts';
import { inTurn } from '../workspaces/in-turn.ts';
import { purgeApiKeys } from './purge-api-keys.ts';
import type { PurgeParts } from './purge-parts.ts';
import { purgePeople } from './purge-people.ts';
import { purgeWorkspace } from './purge-workspace.ts';

export interface Purged {
  readonly secrets: number;
  readonly keys: number;
  /** Entities of deleted workspaces. */
  readonly leftovers: number;
  readonly people: number;
  /** What could not be purged, and did not keep the rest from it. */
  readonly failures: readonly PurgeFailure[];
}

interface PurgeFailure {
  /** Absent where it is about people, who belong to no workspace. */
  readonly workspaceId?: string;
  readonly error: unknown;
}

/**
 * Removes what has come to the end of its life, in all workspaces: secrets first, whose end people count on most; then
 * accounts that nobody needs, keys, and what deleted workspaces held, from another workspace on each day. `docs/posture.md`
 * has the whole table.
 */
export async function purgeDeployment(parts: PurgeParts): Promise<Purged> {
  const secrets = await purgeExpired(parts, parts.mayGoOn);
  const failures: PurgeFailure[] = [...secrets.failures];
  const counted = async (work: () => Promise<number>, workspaceId?: string): Promise<number> => {
    try {
      return await work();
    } catch (error) {
      failures.push({ error, ...(workspaceId === undefined ? {} : { workspaceId }) });
      return 0;
    }
  };
  const people = await counted(() => purgePeople(parts));
  let keys = 0;
  let leftovers = 0;
  const workspaceIds: string[] = [];
  for await (const workspaceId of everyWorkspace(parts.store)) workspaceIds.push(workspaceId);
  for (const workspaceId of inTurn(workspaceIds, parts.clock.now())) {
    if (!parts.mayGoOn()) break;
    keys += await counted(() => purgeApiKeys(parts, workspaceId), workspaceId);
    leftovers += await counted(() => purgeWorkspace(parts, workspaceId), workspaceId);
  }
  return { secrets: secrets.purged, keys, leftovers, people, failures };
}

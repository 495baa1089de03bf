import { RefusedChanges } from '../audit/append.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Clock } from '../kernel/ports.ts';
import type { Store } from '../kernel/store.ts';
import { keyMigrationKind, OPEN_MIGRATIONS } from './key-migration.ts';
import { migrateWorkspace } from './migrate-workspace.ts';
import type { MigrationParts, MigrationSummary } from './migration-parts.ts';
import { moveDeploymentKey } from './move-deployment-key.ts';

/** How long one workspace is worked on before the others have their turn. */
const SHARE_MS = 30_000;
const PAGE = 100;
const MINUTE_MS = 60_000;

/**
 * Goes on with everything that has to move: first the deployment's own keys, then each open migration in turn, until nothing
 * is left to do for the moment or the time is up. What keeps it from one workspace does not keep it from the others.
 *
 * @param mayGoOn whether there is time to begin something new.
 */
export async function migrateDeployment(
  parts: MigrationParts,
  mayGoOn: () => boolean,
): Promise<MigrationSummary> {
  const failures: { workspaceId: string; error: unknown }[] = [];
  const note = (error: unknown) => failures.push({ workspaceId: PLATFORM_WORKSPACE, error });
  await moveDeploymentKey(parts, mayGoOn).catch((error: unknown) => {
    // Runs may overlap, and then one of them gets on.
    if (!(error instanceof RefusedChanges)) note(error);
  });
  const waiting = new Set<string>();
  try {
    for (const workspaceId of await openMigrations(parts)) waiting.add(workspaceId);
  } catch (error) {
    note(error);
  }
  let [moved, done, blocked] = [0, 0, 0];
  const queue = [...waiting];
  for (let workspaceId = queue.shift(); workspaceId !== undefined && mayGoOn(); workspaceId = queue.shift()) {
    const until = parts.clock.now() + SHARE_MS;
    const isMine = () => mayGoOn() && parts.clock.now() < until;
    try {
      const outcome = await migrateWorkspace(parts, workspaceId, isMine);
      moved += outcome.moved;
      if (outcome.status === 'moving') queue.push(workspaceId);
      if (outcome.status === 'blocked') blocked += 1;
      if (outcome.status === 'done' && waiting.delete(workspaceId)) done += 1;
    } catch (error) {
      failures.push({ workspaceId, error });
    }
  }
  return { open: waiting.size, blocked, done, moved, failures };
}

/** Beginning with another one each minute: a run that has no time for all leaves out others than the one before. */
async function openMigrations({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
  const ids: string[] = [];
  for await (const page of listPages(store, keyMigrationKind, { list: OPEN_MIGRATIONS, limit: PAGE }))
    ids.push(...page.map(({ id }) => id));
  const first = Math.floor(clock.now() / MINUTE_MS) % Math.max(1, ids.length);
  return [...ids.slice(first), ...ids.slice(0, first)];
}

import type { RequestContext } from '../../core/access/principal.ts';
import { systemOrigin } from '../../core/audit/lane-start.ts';
import { bringKey } from '../../core/encryption-keys/bring-key.ts';
import { keyMigrationKind } from '../../core/encryption-keys/key-migration.ts';
import { update } from '../../core/kernel/entity.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import type { Vault } from '../../lambdas/shared/compose-vault.ts';
import { CALLER } from './memory-vault.ts';
import type { RouteCase } from './route-cases.ts';
import type { World } from './world.ts';

const PATH = '/workspace/encryption-key';

/** A person who owns a workspace, and has just proven who they are. */
export function owningPerson(workspaceId: string): RequestContext {
  const rights = { type: 'user', id: 'ada', workspaceId, role: 'owner', namespaces: ['*'] } as const;
  return { principal: { ...rights, sessionId: 'ses_1', steppedUp: true }, ...CALLER };
}

/** Has the migration of a workspace be over, as the job leaves it that moves values. */
export async function endMigration(vault: Vault, workspaceId: string): Promise<void> {
  const migration = await vault.store.get(keyMigrationKind, workspaceId, workspaceId);
  if (migration === undefined) throw new Error('No migration was begun.');
  const ended = update(keyMigrationKind, migration, {
    state: 'done',
    finishedAt: timestamp(vault.clock.now()),
  });
  await vault.trail.commit(systemOrigin(workspaceId, 'rewrapper'), [
    {
      action: 'encryption_key.migration_completed',
      entity: { type: 'workspace', id: workspaceId },
      result: 'success',
      changes: [ended],
    },
  ]);
}

async function bringOne({ vault, workspaceId }: World): Promise<void> {
  const keyArn = await vault.newCustomerKey(workspaceId);
  await bringKey(vault, owningPerson(workspaceId), { keyArn });
}

/** A key of the workspace's own. */
export const ENCRYPTION_KEY_ROUTE_CASES: readonly RouteCase[] = [
  { route: `GET ${PATH}`, request: async () => ({ path: PATH }) },
  {
    route: `PUT ${PATH}`,
    request: async ({ vault, workspaceId }) => ({
      path: PATH,
      json: { keyArn: await vault.newCustomerKey(workspaceId) },
    }),
  },
  {
    route: `DELETE ${PATH}`,
    request: async (world) => {
      await bringOne(world);
      return { path: PATH };
    },
  },
  {
    route: `DELETE ${PATH}/previous`,
    request: async (world) => {
      await bringOne(world);
      await endMigration(world.vault, world.workspaceId);
      return { path: `${PATH}/previous` };
    },
  },
];

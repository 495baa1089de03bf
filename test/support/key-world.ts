import type { AuditRow } from '../../core/audit/row.ts';
import { bringKey } from '../../core/encryption-keys/bring-key.ts';
import type { EncryptionKeyParts } from '../../core/encryption-keys/encryption-key-parts.ts';
import { type KeyMigration, keyMigrationKind } from '../../core/encryption-keys/key-migration.ts';
import { type Workspace, workspaceKind } from '../../core/workspaces/workspace.ts';
import { addWorkspace } from './api-world.ts';
import { endMigration, owningPerson } from './encryption-key-route-cases.ts';
import { installedVault, rowsOf } from './memory-vault.ts';

/** A workspace whose owner brings keys. */
export async function keyWorld() {
  const { vault, installed } = await installedVault();
  const { workspaceId } = installed;
  const owner = owningPerson(workspaceId);
  const read = async <T>(found: Promise<T | undefined>): Promise<T> => {
    const entity = await found;
    if (entity === undefined) throw new Error('It is not there.');
    return entity;
  };
  return {
    vault,
    workspaceId,
    owner,
    installed,
    workspace: (): Promise<Workspace> => read(vault.store.get(workspaceKind, workspaceId, workspaceId)),
    migration: (): Promise<KeyMigration> => read(vault.store.get(keyMigrationKind, workspaceId, workspaceId)),
    /** A key with the policy that the vault hands out for the workspace. */
    newKey: () => vault.newCustomerKey(workspaceId),
    bring: (keyArn: string, parts: EncryptionKeyParts = vault) => bringKey(parts, owner, { keyArn }),
    endMigration: () => endMigration(vault, workspaceId),
    otherWorkspace: () => addWorkspace(vault),
    /** The rows of one action, oldest first. */
    rows: (action: string): AuditRow[] => rowsOf(vault, workspaceId).filter((row) => row.action === action),
    lastRow: (): AuditRow | undefined => rowsOf(vault, workspaceId).at(-1),
    /** Whether every plaintext that the key service handed out is zeroed. */
    isAllZeroed: () => vault.keys.handedOut.every((key) => key.every((byte) => byte === 0)),
  };
}

export type KeyWorld = Awaited<ReturnType<typeof keyWorld>>;

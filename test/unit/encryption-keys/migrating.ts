import type { RequestContext } from '../../../core/access/principal.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { changeKey } from '../../../core/encryption-keys/change-key.ts';
import { type KeyMigration, keyMigrationKind } from '../../../core/encryption-keys/key-migration.ts';
import { migrateWorkspace } from '../../../core/encryption-keys/migrate-workspace.ts';
import type { MigrationOutcome, MigrationParts } from '../../../core/encryption-keys/migration-parts.ts';
import type { DeploymentKeys } from '../../../core/encryption-keys/wrapping-key.ts';
import type { Entity } from '../../../core/kernel/entity.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { type SecretVersion, secretVersionKind } from '../../../core/secrets/secret.ts';
import { openWorkspace } from '../../../core/workspaces/in-open-workspace.ts';
import { entityKey } from '../../support/memory-store.ts';
import { installedVault, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';

/** Longer than any pause between two steps of a migration whose keys work. */
export const SOME_TIME = 6 * 60_000;

/** A workspace whose owner brings keys, and the job that moves its values. */
export class Migrating {
  readonly vault: MemoryVault;
  readonly owner: RequestContext;
  readonly alerts: Alert[] = [];
  /** Called after each key that the key service wrapped anew, before the answer is known. */
  afterEach: (count: number) => Promise<void> = async () => undefined;
  deploymentKeys: DeploymentKeys;
  #count = 0;

  constructor(vault: MemoryVault, owner: RequestContext) {
    this.vault = vault;
    this.owner = owner;
    this.deploymentKeys = vault.deploymentKeys;
  }

  get workspaceId(): string {
    return this.owner.principal.workspaceId;
  }

  /** What a run of the job works with; another run is another instance of the function. */
  parts(vault: MemoryVault = this.vault): MigrationParts {
    return {
      ...vault,
      deploymentKeys: this.deploymentKeys,
      alerts: { raise: async (alert) => void this.alerts.push(alert) },
      keys: {
        reEncrypt: async (wrapped, keys, context) => {
          const moved = await this.vault.keys.reEncrypt(wrapped, keys, context);
          this.#count += 1;
          await this.afterEach(this.#count);
          return moved;
        },
      },
    };
  }

  /** A run in another instance of the function, on the same tables: what it leaves behind when it dies is there, too. */
  otherRun(): Promise<MigrationOutcome> {
    return this.run(() => true, memoryVault(this.vault));
  }

  run(mayGoOn: () => boolean = () => true, vault = this.vault): Promise<MigrationOutcome> {
    return migrateWorkspace(this.parts(vault), this.workspaceId, mayGoOn);
  }

  /** Runs until nothing is left to do, with the pauses that it asks for; gives how many values were moved. */
  async finish(): Promise<number> {
    let moved = 0;
    for (let round = 0; round < 20; round += 1) {
      const outcome = await this.run();
      moved += outcome.moved;
      if (outcome.status === 'done') return moved;
      this.vault.clock.advance(SOME_TIME);
    }
    throw new Error('The migration does not come to an end.');
  }

  async change(keyArn: string): Promise<void> {
    const workspace = await openWorkspace(this.vault.store, this.workspaceId);
    await changeKey({ ...this.vault, deploymentKeys: this.deploymentKeys }, this.owner, workspace, keyArn);
  }

  async create(...names: readonly string[]): Promise<readonly string[]> {
    const ids: string[] = [];
    for (const name of names) {
      const input = { namespace: 'prod', name, value: `value of ${name}` };
      ids.push((await createSecret(this.vault, this.owner, input)).id);
    }
    return ids;
  }

  async migration(workspaceId = this.workspaceId): Promise<KeyMigration> {
    const migration = await this.vault.store.get(keyMigrationKind, workspaceId, workspaceId);
    if (migration === undefined) throw new Error('There is no migration.');
    return migration;
  }

  /** The keys that versions lie under, each with how many do. */
  wrappings(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { entity } of this.vault.tables.entities.values()) {
      if (entity.kind !== secretVersionKind.name) continue;
      const { keyArn } = entity as SecretVersion;
      counts[keyArn] = (counts[keyArn] ?? 0) + 1;
    }
    return counts;
  }

  async reveal(id: string): Promise<string> {
    return (await revealSecret(this.vault, this.owner, { id })).value;
  }

  /** Changes what is stored, past the door. */
  alter<E extends Entity>(kind: string, id: string, change: (entity: E) => E): void {
    const key = entityKey({ kind, workspaceId: this.workspaceId, id });
    const stored = this.vault.tables.entities.get(key);
    if (stored === undefined) throw new Error(`There is no ${kind} ${id}.`);
    this.vault.tables.entities.set(key, { ...stored, entity: change(stored.entity as E) });
  }
}

export async function migrating(): Promise<Migrating> {
  const { vault, owner } = await installedVault();
  return new Migrating(vault, owner);
}

import type { RequestContext } from '../../core/access/principal.ts';
import type { Alert } from '../../core/detection/alert.ts';
import { createSecret } from '../../core/secrets/create-secret.ts';
import { putValue } from '../../core/secrets/put-value.ts';
import { copyPrefix } from '../../core/secrets-sync/secrets-sync.ts';
import { type SyncSettings, setSecretsSync } from '../../core/secrets-sync/set-secrets-sync.ts';
import type { SyncParts } from '../../core/secrets-sync/sync-run.ts';
import { type SyncReport, syncWorkspace } from '../../core/secrets-sync/sync-workspace.ts';
import { owningPerson } from './encryption-key-route-cases.ts';
import { CUSTOMER_PLACE, type HeldSecret, SYNC_ROLE, SYNC_SITE } from './memory-customer-secrets.ts';
import { installedVault, type MemoryVault, rowsOf } from './memory-vault.ts';

export interface SyncWorld {
  readonly vault: MemoryVault;
  /** A person who is stepped up: only people set a sync. */
  readonly owner: RequestContext;
  readonly workspaceId: string;
  readonly alerts: Alert[];
  readonly parts: SyncParts;
}

export async function syncWorld(): Promise<SyncWorld> {
  const { vault, installed } = await installedVault();
  const { workspaceId } = installed;
  const alerts: Alert[] = [];
  vault.customerSecrets.roles.set(SYNC_ROLE, (externalId) => externalId === workspaceId);
  return {
    vault,
    owner: owningPerson(workspaceId),
    workspaceId,
    alerts,
    parts: { ...vault, alerts: { raise: async (alert) => void alerts.push(alert) } },
  };
}

/** Sets the sync, by default to the customer's account. */
export function setSync({ vault, owner }: SyncWorld, settings: Partial<SyncSettings> = {}) {
  return setSecretsSync(vault, owner, { namespaces: ['prod'], roleArn: SYNC_ROLE, ...settings });
}

export async function addSecret(
  { vault, owner }: SyncWorld,
  name: string,
  { namespace = 'prod', value = `value of ${name}`, decoy = false } = {},
): Promise<string> {
  const input = { namespace, name, value, ...(decoy ? { decoy } : {}) };
  return (await createSecret(vault, owner, { tags: [], isCUI: false, ...input })).id;
}

export function changeSecret({ vault, owner }: SyncWorld, id: string, value: string) {
  return putValue(vault, owner, id, value);
}

/** One run for the workspace, five minutes after the one before. */
export function runSync({ parts, vault, workspaceId }: SyncWorld): Promise<SyncReport> {
  vault.clock.advance(5 * 60_000);
  return syncWorkspace(parts, workspaceId, () => true);
}

export function wholeNameIn({ workspaceId }: SyncWorld, name: string): string {
  return `${copyPrefix(SYNC_SITE, workspaceId)}${name}`;
}

/** What the customer's programs read under a name such as `prod/db`. */
export function copyOf(world: SyncWorld, name: string, place = CUSTOMER_PLACE): string | undefined {
  return world.vault.customerSecrets.valueOf(place, wholeNameIn(world, name));
}

/** A copy as the customer's account holds it. */
export function heldIn(world: SyncWorld, name: string, place = CUSTOMER_PLACE): HeldSecret | undefined {
  return world.vault.customerSecrets.secretsOf(place).get(wholeNameIn(world, name));
}

/** The rows of an action, as `<result> <entity id>`. */
export function rowsNamed({ vault, workspaceId }: SyncWorld, action: string): string[] {
  return rowsOf(vault, workspaceId)
    .filter((row) => row.action === action)
    .map(({ result, entity }) => `${result} ${entity.id}`);
}

/** Counts the calls of the customer's account while something happens. */
export async function callsDuring(
  { vault }: SyncWorld,
  work: () => Promise<unknown>,
): Promise<{ readonly [call: string]: number }> {
  const { calls } = vault.customerSecrets;
  const [before, opened] = [calls.length, vault.keys.calls.length];
  await work();
  const made = [...calls.slice(before), ...vault.keys.calls.slice(opened)];
  return Object.fromEntries(
    [...new Set(made)].map((name) => [name, made.filter((one) => one === name).length]),
  );
}

import type { AuditRow } from '../audit/row.ts';
import { type DeploymentKeys, wrappingKeyArn } from '../encryption-keys/wrapping-key.ts';
import { VaultError } from '../kernel/errors.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import type { Store } from '../kernel/store.ts';
import { workspaceKind } from '../workspaces/workspace.ts';
import { provenValue } from './allowance.ts';
import { parseValueKey } from './opened-value.ts';

/** A key that what `of` names may be moved to: all values of a workspace, or the one of this `valueKey`. */
export interface PermittedMove {
  readonly of: string;
  readonly keyArn: string;
}

/**
 * The keys that a row names as ones that the workspace wraps its values with, or did until then: what was moved a moment
 * before a key was dropped may have no other row. What the proof of a key puts under it is the proof's own value alone: a
 * key that was refused may have no other.
 */
export function movesNamedBy(row: AuditRow): readonly PermittedMove[] {
  const proof = provenValue(row);
  if (row.result !== 'success' || (proof === undefined && !KEY_CHANGES.has(row.action))) return [];
  const { keyArn, previousKeyArn, retired } = row.detail;
  return [keyArn, previousKeyArn, ...(retired?.split(',') ?? [])].flatMap((name) =>
    name === undefined ? [] : [{ of: proof ?? row.ws, keyArn: name }],
  );
}

const KEY_CHANGES: ReadonlySet<string> = new Set([
  'encryption_key.changed',
  'encryption_key.migration_started',
  'encryption_key.versions_rewrapped',
  'encryption_key.migration_completed',
  'encryption_key.previous_retired',
]);

/**
 * Judges under which keys values may come to lie: what belongs to no workspace, under the vault's own; the values of a
 * workspace, under those that wrap its values or did before. The deployment's are not among them for a workspace with
 * a key of its own: a value that lies there is out of the reach of whoever takes that key away.
 */
export class PermittedMoves {
  readonly #deploymentKeys: DeploymentKeys;
  readonly #store: Store;
  readonly #named: ReadonlySet<string>;
  /** What any row names a key for. */
  readonly #subjects: ReadonlySet<string>;
  readonly #ofWorkspaces = new Map<string, Promise<readonly string[]>>();

  constructor(
    { deploymentKeys, store }: { readonly deploymentKeys: DeploymentKeys; readonly store: Store },
    named: readonly PermittedMove[],
  ) {
    this.#deploymentKeys = deploymentKeys;
    this.#store = store;
    this.#named = new Set(named.map(({ of, keyArn }) => pair(of, keyArn)));
    this.#subjects = new Set(named.map(({ of }) => of));
  }

  /**
   * Whether this value may be moved to this key.
   *
   * @throws VaultError `unavailable`
   */
  async has(value: string, keyArn: string): Promise<boolean> {
    const { own, values, allOwn } = this.#deploymentKeys;
    const { workspaceId } = parseValueKey(value);
    if (workspaceId === PLATFORM_WORKSPACE) return keyArn === own || allOwn.includes(keyArn);
    if ([value, workspaceId].some((of) => this.#named.has(pair(of, keyArn)))) return true;
    // What the trial of a key made up: where the workspace's key is gone, one of the deployment takes its place.
    if (this.#subjects.has(value) && (keyArn === own || keyArn === values)) return true;
    const known = this.#ofWorkspaces.get(workspaceId) ?? keysOf(this.#store, workspaceId, values);
    this.#ofWorkspaces.set(workspaceId, known);
    return (await known).includes(keyArn);
  }
}

/** Neither part has a space. */
function pair(of: string, keyArn: string): string {
  return `${of} ${keyArn}`;
}

/** Of a workspace whose record somebody spoiled, none: then moves are told that are its own, and none is hidden. */
async function keysOf(store: Store, workspaceId: string, values: string): Promise<readonly string[]> {
  try {
    const workspace = await store.get(workspaceKind, workspaceId, workspaceId);
    return [wrappingKeyArn(workspace ?? {}, { values }), ...(workspace?.previousKeyArns ?? [])];
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return [];
    throw error;
  }
}

import { listPosition, update } from '../kernel/entity.ts';
import { VaultError } from '../kernel/errors.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Page, Store } from '../kernel/store.ts';
import { slicesOf } from '../lifecycle/list-all.ts';
import {
  deletedSecretList,
  type Secret,
  type SecretVersion,
  secretKind,
  secretList,
  secretVersionKind,
} from '../secrets/secret.ts';
import { type KeyMigration, type MigrationPosition, placeOf } from './key-migration.ts';
import type { Found, WrappedValue } from './wrapped-value.ts';

/** Secrets read from a list at once, and of those, secrets whose versions are read at the same time. */
const PAGE = 100;
const WIDTH = 8;
/** Versions read at once: at most 1.3 MB. */
const VERSIONS = 20;

/**
 * Walks through one of the two lists of a workspace's secrets, from where a migration is, and finds all versions that lie
 * under another key than its own. Of each secret the versions are read consistently; only whether a list names it may lag.
 * Costs a query for each 100 secrets and one for each 20 versions of a secret.
 *
 * @throws VaultError `unavailable`
 */
export async function* walkSecrets(
  store: Store,
  { workspaceId, keyArn, position }: KeyMigration,
): AsyncGenerator<Found> {
  const list = position.list === 'live' ? secretList(workspaceId) : deletedSecretList(workspaceId);
  let passed: MigrationPosition = position;
  for await (const page of listPages(store, secretKind, { list, limit: PAGE, ...placeOf(position) })) {
    for (const secrets of slicesOf(page, WIDTH)) {
      const first = await Promise.all(
        secrets.map((secret) => readVersions(store, secret, placeWithin(secret, position))),
      );
      for (const [index, secret] of secrets.entries()) {
        const here = { list: position.list, after: listPosition(secretKind, secret) };
        let versions = first[index];
        while (versions?.next !== undefined) {
          passed = { ...passed, version: versions.next };
          yield { values: elsewhere(secret, versions, keyArn), looked: 0, unreadable: [], position: passed };
          versions = await readVersions(store, secret, versions.next);
        }
        const values = versions === undefined ? [] : elsewhere(secret, versions, keyArn);
        passed = here;
        yield { values, looked: 1, unreadable: versions === undefined ? [secret.id] : [], position: passed };
      }
    }
  }
}

/** Where to go on in a secret: only in the one that an earlier run did not get through. */
function placeWithin({ id }: Secret, { version }: MigrationPosition): string | undefined {
  return version !== undefined && secretVersionKind.childOf?.(version).parentId === id ? version : undefined;
}

/** `undefined` where one is damaged beyond reading: that must not keep the others from moving. */
async function readVersions(
  store: Store,
  { workspaceId, id }: Secret,
  after?: string,
): Promise<Page<SecretVersion> | undefined> {
  const page = { limit: VERSIONS, ...(after === undefined ? {} : { after }) };
  try {
    return await store.listChildren(secretVersionKind, workspaceId, id, page);
  } catch (error) {
    if (error instanceof VaultError && error.code === 'internal') return undefined;
    throw error;
  }
}

function elsewhere(
  { workspaceId, id }: Secret,
  { items }: Page<SecretVersion>,
  keyArn: string,
): WrappedValue[] {
  return items
    .filter((version) => version.keyArn !== keyArn)
    .map((version) => ({
      // Named by the secret that was asked for, never by what the stored version says of itself.
      name: { workspaceId, secretId: id, version: version.version },
      envelope: version,
      under: (wrapping) => update(secretVersionKind, version, wrapping),
    }));
}

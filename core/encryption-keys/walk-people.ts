import { type Mfa, mfaKind, totpName } from '../identity/mfa.ts';
import { listPosition, update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { DEPARTED_USERS, departedUserKind } from '../members/departed-user.ts';
import { memberList, membershipKind } from '../members/membership.ts';
import { ALL_WORKSPACES, workspaceKind } from '../workspaces/workspace.ts';
import { type KeyMigration, placeOf } from './key-migration.ts';
import type { Found, WrappedValue } from './wrapped-value.ts';

/** Entries read from a list at once, and at most the ids of one consistent read. */
const PAGE = 100;

/**
 * Walks through the people of the deployment, from where the platform's migration is, and finds their second factors that
 * lie under another key than its own. People are in no list of their own: they are found as members of workspaces, and in
 * the list of those who left their last one. Whoever is in several is looked at several times.
 *
 * @throws VaultError `unavailable`; `internal` when a second factor is damaged beyond reading.
 */
export async function* walkPeople(store: Store, migration: KeyMigration): AsyncGenerator<Found> {
  yield* migration.position.list === 'live' ? walkMembers(store, migration) : walkDeparted(store, migration);
}

async function* walkMembers(store: Store, { keyArn, position }: KeyMigration): AsyncGenerator<Found> {
  let passed = position;
  const query = { list: ALL_WORKSPACES, limit: PAGE, ...placeOf(position) };
  for await (const workspaces of listPages(store, workspaceKind, query)) {
    for (const workspace of workspaces) {
      let looked = 0;
      const list = memberList(workspace.id);
      for await (const members of listPages(store, membershipKind, { list, limit: PAGE })) {
        looked += members.length;
        const values = await elsewhere(store, members, keyArn);
        yield { values, looked: 0, unreadable: [], position: passed };
      }
      passed = { list: 'live', after: listPosition(workspaceKind, workspace) };
      yield { values: [], looked, unreadable: [], position: passed };
    }
  }
}

async function* walkDeparted(store: Store, { keyArn, position }: KeyMigration): AsyncGenerator<Found> {
  const query = { list: DEPARTED_USERS, limit: PAGE, ...placeOf(position) };
  for await (const people of listPages(store, departedUserKind, query)) {
    const last = people.at(-1);
    if (last === undefined) continue;
    const values = await elsewhere(store, people, keyArn);
    const passed = { list: 'deleted', after: listPosition(departedUserKind, last) } as const;
    yield { values, looked: people.length, unreadable: [], position: passed };
  }
}

async function elsewhere(
  store: Store,
  people: readonly { readonly id: string }[],
  keyArn: string,
): Promise<WrappedValue[]> {
  const ids = people.map(({ id }) => id);
  const factors = ids.length === 0 ? [] : await store.getMany(mfaKind, PLATFORM_WORKSPACE, ids);
  return factors.filter((mfa) => mfa.keyArn !== keyArn && hasSecret(mfa)).map(wrappedFactor);
}

/** One that a restore made again to keep a door locked seals nothing. */
function hasSecret({ wrappedKey }: Mfa): boolean {
  return wrappedKey.length > 0;
}

function wrappedFactor(mfa: Mfa): WrappedValue {
  return {
    name: totpName(mfa.id, mfa.version),
    envelope: mfa,
    under: (wrapping) => update(mfaKind, mfa, wrapping),
  };
}

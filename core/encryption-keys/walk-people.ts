import { type Mfa, mfaKind, SECOND_FACTORS, totpName } from '../identity/mfa.ts';
import { listPosition, update } from '../kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../kernel/ids.ts';
import { listPages } from '../kernel/list-pages.ts';
import type { Store } from '../kernel/store.ts';
import { type KeyMigration, placeOf } from './key-migration.ts';
import type { Found, WrappedValue } from './wrapped-value.ts';

/** Entries read from the list at once, and at most the ids of one consistent read. */
const PAGE = 100;

/**
 * Walks through the second factors of the deployment, from where the platform's migration is, and finds those that lie under
 * another key than its own. They are in one list, whatever workspaces their people are in, or in none: the second half of a
 * pass, which is for what was deleted, has nothing of theirs.
 *
 * @throws VaultError `unavailable`; `internal` when a second factor is damaged beyond reading.
 */
export async function* walkPeople(store: Store, { keyArn, position }: KeyMigration): AsyncGenerator<Found> {
  if (position.list !== 'live') return;
  const query = { list: SECOND_FACTORS, limit: PAGE, ...placeOf(position) };
  for await (const listed of listPages(store, mfaKind, query)) {
    const last = listed.at(-1);
    if (last === undefined) continue;
    // The list may lag behind people who use their apps, and a value that is moved is the newest one.
    const ids = listed.map(({ id }) => id);
    const factors = await store.getMany(mfaKind, PLATFORM_WORKSPACE, ids);
    const values = factors.filter((mfa) => mfa.keyArn !== keyArn && hasSecret(mfa)).map(wrappedFactor);
    const passed = { list: 'live', after: listPosition(mfaKind, last) } as const;
    yield { values, looked: listed.length, unreadable: [], position: passed };
  }
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

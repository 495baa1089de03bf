import type { RequestContext } from '../../../core/access/principal.ts';
import { changeKey } from '../../../core/encryption-keys/change-key.ts';
import { commitProgress } from '../../../core/encryption-keys/commit-progress.ts';
import { migrateDeployment } from '../../../core/encryption-keys/migrate-deployment.ts';
import { retirePreviousKeys } from '../../../core/encryption-keys/retire-previous-keys.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { newUuid } from '../../../core/kernel/ids.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { purgeSecret } from '../../../core/secrets/purge-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { type SecretVersion, secretVersionKind } from '../../../core/secrets/secret.ts';
import { openWorkspace } from '../../../core/workspaces/in-open-workspace.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import type { Fault } from '../../support/memory-ledger.ts';
import { callerWith, rowsOf } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { type Migrating, migrating, SOME_TIME } from './migrating.ts';

let world: Migrating;
let key: string;
let ids: readonly string[];
beforeEach(async () => {
  world = await migrating();
  key = await world.vault.newCustomerKey(world.workspaceId);
  ids = await world.create(...Array.from({ length: 30 }, (_, index) => `name-${index + 10}`));
});

const owner = (): RequestContext => {
  const { workspaceId, vault } = world;
  const { principal, ...request } = callerWith({ workspaceId, role: 'owner' });
  const person = { type: 'user', id: newUuid(vault.random), sessionId: 'ses_1', steppedUp: true } as const;
  return { ...request, principal: { ...principal, ...person } };
};
const id = (index: number) => ids[index] ?? '';
const unusable = () => world.vault.keys.unusable;
const advance = (milliseconds: number) => world.vault.clock.advance(milliseconds);
const whole = async () => expect(await brokenWorkspaces(world.vault)).toEqual({});
const allReadable = async () => {
  for (const [index, one] of ids.entries())
    expect(await world.reveal(one)).toBe(`value of name-${index + 10}`);
};

describe('a run that dies', () => {
  /** The n-th append of the job goes so; `never` is a crash. */
  async function dieAt(nth: number, fault: Fault | 'never'): Promise<void> {
    let appends = 0;
    const { promise: death, resolve: die } = Promise.withResolvers<void>();
    world.vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append' || ++appends !== nth) return 'none';
      if (fault !== 'never') return fault;
      die();
      return new Promise(() => undefined);
    };
    await Promise.race([world.otherRun().catch(() => undefined), death]);
    world.vault.tables.faults = async () => 'none';
  }

  it('after the key service did its work, and before the commit: the values lie where they lay', async () => {
    await world.change(key);
    await dieAt(1, 'never');
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 30 });
    await allReadable();
    expect(await world.finish()).toBe(30);
  });

  it('between two slices: the first one counts', async () => {
    await world.change(key);
    await dieAt(2, 'never');
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 10, [key]: 20 });
    await allReadable();
    expect(await world.finish()).toBe(10);
    expect(await world.migration()).toMatchObject({ moved: 30 });
  });

  it.each<Fault>(['before', 'after', 'contended'])(
    'nothing is lost or counted twice by a commit that goes so: %s',
    async (fault) => {
      await world.change(key);
      await dieAt(1, fault);
      await world.finish();
      expect(world.wrappings()).toEqual({ [key]: 30 });
      expect(await world.migration()).toMatchObject({ moved: 30 });
      await allReadable();
      await whole();
    },
  );
});

describe('at the same time', () => {
  it('another run: one of the two gets on each time, and each version is moved once', async () => {
    await world.change(key);
    world.afterEach = async (count) => {
      if (count !== 5) return;
      await world.otherRun();
    };
    await world.run();
    expect(world.wrappings()).toEqual({ [key]: 30 });
    expect(await world.migration()).toMatchObject({ moved: 30 });
    await world.finish();
    await whole();
  });

  it('somebody who always is faster: it leaves the workspace to them', async () => {
    await world.change(key);
    world.afterEach = async () => {
      const migration = await world.migration();
      await commitProgress(world.vault, migration, {
        action: 'encryption_key.versions_rewrapped',
        detail: {},
        patch: {},
        changes: [],
      });
    };
    const summary = await migrateDeployment(world.parts(), () => true);
    expect(summary).toEqual({ open: 1, blocked: 0, done: 0, moved: 0, failures: [] });
  });

  it('a purge: what is gone stays gone, and the rest moves', async () => {
    await deleteSecret(world.vault, world.owner, id(3));
    await world.change(key);
    world.afterEach = async (count) => {
      if (count === 2) await purgeSecret(world.vault, owner(), id(3));
    };
    await world.finish();
    expect(world.wrappings()).toEqual({ [key]: 29 });
    await whole();
  });

  it('a purge that loses its race for a version tries again', async () => {
    await deleteSecret(world.vault, world.owner, id(3));
    await world.change(key);
    await world.run();
    advance(SOME_TIME);
    let appends = 0;
    world.vault.tables.faults = async ({ name }) => {
      // The mark is the first append. Before the second one, the version is moved.
      if (name === 'ledger.append' && ++appends === 2) await world.otherRun();
      return 'none';
    };
    await purgeSecret(world.vault, owner(), id(3));
    expect(await world.migration()).toMatchObject({ moved: 30 });
    expect(world.wrappings()).toEqual({ [key]: 29 });
    await whole();
  });

  it('a restore: the secret is moved, wherever the pass was', async () => {
    await deleteSecret(world.vault, world.owner, id(0));
    await world.change(key);
    world.afterEach = async (count) => {
      if (count === 25) await restoreSecret(world.vault, world.owner, id(0));
    };
    await world.finish();
    expect(world.wrappings()).toEqual({ [key]: 30 });
    await allReadable();
    await whole();
  });

  it('new values lie under the new key, and are not moved', async () => {
    await world.change(key);
    world.afterEach = async (count) => {
      if (count === 5) await putValue(world.vault, world.owner, id(0), 'newer');
    };
    expect(await world.finish()).toBe(30);
    expect(world.wrappings()).toEqual({ [key]: 31 });
    expect(await world.reveal(id(0))).toBe('newer');
  });

  it('the way back: nothing is put under a key that is not the target any more', async () => {
    await world.change(key);
    world.afterEach = async (count) => {
      if (count === 25) await world.change(VAULT_KEY_ARN);
    };
    await world.run();
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 30 });
    await world.finish();
    expect(await world.migration()).toMatchObject({ keyArn: VAULT_KEY_ARN, state: 'done' });
    await whole();
  });
});

describe('keys that refuse', () => {
  it('disabled half-way: what was moved stays, an alert says so, and it goes on when the key is back', async () => {
    await world.change(key);
    world.afterEach = async (count) => {
      if (count === 20) unusable().add(key);
    };
    await world.run();
    advance(SOME_TIME);
    expect(await world.run()).toEqual({ status: 'blocked', moved: 0 });
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 10, [key]: 20 });
    expect(await world.migration()).toMatchObject({ state: 'blocked', passBlocked: 10 });
    const told = rowsOf(world.vault, world.workspaceId).at(-1);
    expect(told).toMatchObject({ action: 'encryption_key.migration_blocked', detail: { blocked: '10' } });
    expect(world.alerts).toMatchObject([
      { tier: 'critical', kind: 'rewrap_blocked', subject: `key ${key}`, detail: { blocked: '10' } },
    ]);
    await expect(retirePreviousKeys(world.vault, owner())).rejects.toMatchObject({ code: 'key_in_use' });
    unusable().delete(key);
    expect(await world.run()).toEqual({ status: 'blocked', moved: 0 });
    advance(3 * SOME_TIME);
    expect(await world.finish()).toBe(10);
    await allReadable();
    await whole();
  });

  it('the former key disabled: it is asked for 20 values, and not for all', async () => {
    await world.change(key);
    unusable().add(VAULT_KEY_ARN);
    world.vault.keys.calls.length = 0;
    await world.run();
    expect(world.vault.keys.calls).toHaveLength(20);
    expect(await world.migration()).toMatchObject({ passBlocked: 30 });
    unusable().delete(VAULT_KEY_ARN);
  });

  it('the former key disabled: a pass that moves nothing has a row for each list, whatever it meets', async () => {
    await world.change(key);
    unusable().add(VAULT_KEY_ARN);
    const before = rowsOf(world.vault, world.workspaceId).length;
    await world.run();
    advance(SOME_TIME);
    await world.run();
    const told = rowsOf(world.vault, world.workspaceId).slice(before);
    const which = ids
      .slice(0, 10)
      .map((one) => `${one}.1`)
      .join(' ');
    expect(told.map(({ action, detail }) => [action, detail['blocked'], detail['which']])).toEqual([
      ['encryption_key.versions_rewrapped', '30', which],
      ['encryption_key.migration_blocked', '30', undefined],
    ]);
    unusable().delete(VAULT_KEY_ARN);
  });

  it('one former key of two disabled: what lies under the other one moves', async () => {
    const dead = await world.vault.newCustomerKey(world.workspaceId);
    await world.change(dead);
    let asked = 0;
    await world.run(() => ++asked < 25);
    unusable().add(dead);
    await world.change(key);
    await world.run();
    expect(world.wrappings()).toEqual({ [dead]: 24, [key]: 6 });
    unusable().delete(dead);
    expect(await world.finish()).toBe(24);
  });

  it('one damaged wrapped key: it is named, the others move, and the former key is not given up', async () => {
    const damaged = `${id(7)}.1`;
    world.alter<SecretVersion>(secretVersionKind.name, damaged, (version) => ({
      ...version,
      wrappedKey: Uint8Array.from(version.wrappedKey).reverse(),
    }));
    await world.change(key);
    await world.run();
    const [row] = rowsOf(world.vault, world.workspaceId).filter(({ detail }) => detail['blocked'] === '1');
    expect(row?.detail['which']).toBe(damaged);
    for (let round = 0; round < 5; round += 1) {
      advance(3 * SOME_TIME);
      await world.run();
    }
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 1, [key]: 29 });
    expect(await world.migration()).toMatchObject({ moved: 29 });
    await expect(retirePreviousKeys(world.vault, owner())).rejects.toMatchObject({ code: 'key_in_use' });
  });

  it('a version that is damaged beyond reading blocks its secret alone', async () => {
    world.alter<SecretVersion>(secretVersionKind.name, `${id(7)}.1`, (version) => ({
      ...version,
      version: 9,
    }));
    await world.change(key);
    await world.run();
    advance(SOME_TIME);
    expect(await world.run()).toMatchObject({ status: 'blocked' });
    expect(await world.migration()).toMatchObject({ moved: 29, passBlocked: 1, passLooked: 30 });
    const named = rowsOf(world.vault, world.workspaceId).map(({ detail }) => detail['which']);
    expect(named).toContain(id(7));
  });

  it('a key service that does not answer ends the run, and what it moved before is kept', async () => {
    await world.change(key);
    world.afterEach = async (count) => {
      if (count > 22) throw unavailable('The key service is slow.');
    };
    await expect(world.run()).rejects.toMatchObject({ code: 'unavailable' });
    expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 8, [key]: 22 });
    expect(await world.migration()).toMatchObject({ moved: 22, passBlocked: 0 });
    world.afterEach = async () => undefined;
    expect(await world.finish()).toBe(8);
    await whole();
  });
});

it('earlier keys can be given up once nothing lies under them, and not before', async () => {
  await world.change(key);
  await expect(retirePreviousKeys(world.vault, owner())).rejects.toMatchObject({ code: 'key_in_use' });
  await world.finish();
  await retirePreviousKeys(world.vault, owner());
  unusable().add(VAULT_KEY_ARN);
  await allReadable();
});

it('a write that began under the former key is not committed under it', async () => {
  const before = await openWorkspace(world.vault.store, world.workspaceId);
  const other = await world.vault.newCustomerKey(world.workspaceId);
  await world.change(key);
  await expect(changeKey(world.vault, owner(), before, other)).rejects.toMatchObject({
    code: 'concurrent_change',
  });
});

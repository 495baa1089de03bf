import { createAuditTrail } from '../../../core/audit/trail.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { SYNC_ROLE, SYNC_SITE } from '../../support/memory-customer-secrets.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import type { Call } from '../../support/memory-ledger.ts';
import {
  addSecret,
  callsDuring,
  changeSecret,
  copyOf,
  heldIn,
  rowsNamed,
  runSync,
  type SyncWorld,
  setSync,
  syncWorld,
} from '../../support/sync-world.ts';

let world: SyncWorld;
beforeEach(async () => {
  world = await syncWorld();
});

const state = async () => (await world.vault.syncRecords.read(world.workspaceId))?.state;

describe('a role that lets nobody in any more', () => {
  it('is tried again after longer and longer waits, recorded each time, and told after the third', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    world.vault.customerSecrets.roles.delete(SYNC_ROLE);
    const opened: number[] = [];
    for (let run = 1; run <= 24; run += 1) {
      const { open = 0 } = await callsDuring(world, () => runSync(world));
      if (open > 0) opened.push(run);
    }
    // Minutes 5, 10, 20, 40 and then each hour.
    expect(opened).toEqual([1, 2, 4, 8, 15]);
    expect(rowsNamed(world, 'secrets_sync.failed')).toHaveLength(5);
    expect(world.alerts).toHaveLength(3);
    expect(world.alerts[0]).toMatchObject({
      tier: 'warning',
      kind: 'secrets_sync_failing',
      workspaceId: world.workspaceId,
      subject: 'secrets sync to 111122223333 us-east-1',
      detail: { reason: 'role_refused' },
    });
    expect(world.alerts[0]?.seen).toContain('trust policy');
    expect((await state())?.failing).toMatchObject({ attempts: 5, reason: 'role_refused' });
  });

  it('is tried at once when somebody sets the sync anew, and nothing stays of the failure', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    world.vault.customerSecrets.roles.delete(SYNC_ROLE);
    for (let run = 1; run <= 8; run += 1) await runSync(world);
    world.vault.customerSecrets.roles.set(SYNC_ROLE, (externalId) => externalId === world.workspaceId);
    await setSync(world);
    expect(await runSync(world)).toMatchObject({ copied: 1 });
    expect((await state())?.failing).toBeUndefined();
  });

  it('is not even asked once the operator has taken its account off the list', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    const syncSite = { ...SYNC_SITE, accounts: [] };
    const moved = { ...world, parts: { ...world.parts, syncSite } };
    expect(await callsDuring(world, () => runSync(moved))).toEqual({});
    expect((await state())?.failing?.reason).toBe('account_not_allowed');
  });
});

describe('a copy that fails', () => {
  it('holds up no other, waits, and is told after the third time', async () => {
    const bad = await addSecret(world, 'a');
    await addSecret(world, 'b');
    await setSync(world);
    world.vault.customerSecrets.refuse = (call, name) =>
      call === 'create' && name.endsWith('/a') ? 'quota_exceeded' : undefined;
    expect(await runSync(world)).toEqual({ copied: 1, removed: 0, failed: 1 });
    expect(await state()).toMatchObject({
      copies: 1,
      faults: 1,
      problems: [{ secretId: bad, name: 'prod/a', reason: 'quota_exceeded' }],
    });
    // It waits for a quarter of an hour, and is not forgotten meanwhile.
    expect(await runSync(world)).toEqual({ copied: 0, removed: 0, failed: 0 });
    expect(await state()).toMatchObject({ copies: 1, faults: 1 });
    for (let run = 1; run <= 5; run += 1) await runSync(world);
    expect(world.alerts.map(({ detail }) => detail)).toEqual([
      { reason: 'quota_exceeded', target: '111122223333 us-east-1', secretId: bad, copy: 'prod/a' },
    ]);
    world.vault.customerSecrets.refuse = () => undefined;
    for (let run = 1; run <= 3; run += 1) await runSync(world);
    expect(copyOf(world, 'prod/a')).toBe('value of a');
    expect(await state()).toMatchObject({ copies: 2, faults: 0, problems: [] });
  });

  it('says which key could not be used, and stops before it has tried all', async () => {
    for (let count = 0; count < 25; count += 1) await addSecret(world, `s${count}`);
    await setSync(world);
    world.vault.keys.unusable.add(VAULT_KEY_ARN);
    expect(await runSync(world)).toMatchObject({ copied: 0, failed: 10 });
    expect((await state())?.failing).toMatchObject({ reason: 'key_unavailable', attempts: 1 });
    const failed = rowsNamed(world, 'secret.synced').filter((row) => row.startsWith('failure'));
    expect(failed).toHaveLength(10);
    world.vault.keys.unusable.clear();
    for (let run = 1; run <= 4; run += 1) await runSync(world);
    expect(await state()).toMatchObject({ copies: 25, faults: 0 });
  });

  it('accounts for calls to the key service that were repeated', async () => {
    await addSecret(world, 'db');
    await setSync(world);
    world.vault.keys.attempts = 2;
    await runSync(world);
    expect(rowsNamed(world, 'key.decrypt_retried')).toHaveLength(1);
  });
});

describe('at each call, whether it fails before or after it took effect, or the run ends there', () => {
  const CALLS = [
    'store.get',
    'store.list',
    'store.getWithNewest',
    'ledger.append',
    'syncRecords.read',
    'syncRecords.replace',
    'syncRecords.notes',
    'syncRecords.note',
    'syncRecords.forget',
    'customerSecrets.open',
    'customerSecrets.look',
    'customerSecrets.create',
    'customerSecrets.put',
    'customerSecrets.makeCurrent',
    'customerSecrets.letGo',
    'customerSecrets.restore',
    'customerSecrets.remove',
  ];
  const FAULTS = ['before', 'after', 'crash'] as const;

  /** A history with a new, a changed, a deleted and a restored secret is due; then the runs meet one fault. */
  async function prepared() {
    world = await syncWorld();
    const [changed, deleted, restored] = [
      await addSecret(world, 'changed'),
      await addSecret(world, 'deleted'),
      await addSecret(world, 'restored'),
    ];
    await setSync(world);
    await runSync(world);
    await deleteSecret(world.vault, world.owner, restored);
    await runSync(world);
    await addSecret(world, 'new');
    await changeSecret(world, changed, 'changed since');
    await deleteSecret(world.vault, world.owner, deleted);
    await restoreSecret(world.vault, world.owner, restored);
  }

  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  it.each(CALLS.flatMap((call) => FAULTS.map((fault) => [call, fault] as const)))(
    'ends with every copy as it should be: %s, %s',
    async (call, fault) => {
      let met = true;
      for (let nth = 1; met; nth += 1) {
        await prepared();
        met = await runWithFault(call, fault, nth);
        for (let run = 1; run <= 4; run += 1) await runSync(world);
        expect([copyOf(world, 'prod/new'), copyOf(world, 'prod/changed')]).toEqual([
          'value of new',
          'changed since',
        ]);
        expect([copyOf(world, 'prod/deleted'), copyOf(world, 'prod/restored')]).toEqual([
          undefined,
          'value of restored',
        ]);
        expect([...(heldIn(world, 'prod/changed')?.versions.values() ?? [])]).toEqual(['changed since']);
        const { copies, faults, failing } = (await state()) ?? {};
        expect({ copies, faults, failing }).toEqual({ copies: 3, faults: 0, failing: undefined });
      }
    },
  );

  /** One run that meets a fault at the nth call of a name; says whether there were so many. */
  async function runWithFault(call: string, fault: (typeof FAULTS)[number], nth: number): Promise<boolean> {
    const { tables, clock, random } = world.vault;
    let count = 0;
    tables.faults = async ({ name }: Call) => {
      count += name === call ? 1 : 0;
      if (name !== call || count !== nth) return 'none';
      return fault === 'crash' ? new Promise<never>(() => undefined) : fault;
    };
    const run = runSync(world).catch(() => undefined);
    // Nothing in memory takes longer than a turn: what goes on after it never ends.
    await (fault === 'crash' ? nextTurn() : run);
    tables.faults = async () => 'none';
    // The next run is another process.
    const trail = createAuditTrail({ ledger: tables.ledger, clock, random });
    world = { ...world, parts: { ...world.parts, trail } };
    return count >= nth;
  }
});

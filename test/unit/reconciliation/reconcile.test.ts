import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { reconcileDay } from '../../../core/reconciliation/reconcile-day.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { revealSecrets } from '../../../core/secrets/reveal-secrets.ts';
import { rollbackSecret } from '../../../core/secrets/rollback-secret.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  type ReconciliationWorld,
  reconciliationWorld,
} from '../../support/reconciliation-world.ts';
import { Tamperer } from '../../support/tamper.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await reconciliationWorld();
});

const reveal = (id: string, version?: number) => revealSecret(world.vault, world.owner, { id, version });
const told = () => world.alerts.map(({ kind, workspaceId, subject }) => [kind, workspaceId, subject]);
const withoutRow = (subject: string, workspaceId = world.workspaceId) => [
  'decrypt_without_row',
  workspaceId,
  subject,
];

describe('a day on which all went through the vault', () => {
  it('is reconciled without an alert, and leaves an event', async () => {
    const [one, two] = [await world.secret(), await world.secret()];
    await reveal(one);
    await reveal(one);
    await revealSecrets(world.vault, world.owner, { ids: [one, two] });
    await rollbackSecret(world.vault, world.owner, { id: two, version: 1 });
    const [result] = await world.nextMorning();
    expect(result).toEqual({
      day: '2026-01-01',
      outcome: {
        files: 5,
        calls: 5,
        moved: 0,
        contexts: 2,
        withoutRow: 0,
        byStrangers: 0,
        isComplete: true,
      },
    });
    expect(world.alerts).toEqual([]);
    expect(world.events()).toMatchObject([
      { day: '2026-01-01', result: 'success', calls: '5', contexts: '2', withoutRow: '0', complete: 'true' },
    ]);
  });

  it('allows the calls that a retry made, which a row tells', async () => {
    const id = await world.secret();
    world.vault.keys.attempts = 2;
    expect((await reveal(id)).value).toBe('value');
    const { items } = await revealSecrets(world.vault, world.owner, { ids: [id] });
    expect(items).toHaveLength(1);
    const [{ outcome } = fail()] = await world.nextMorning();
    expect(outcome).toMatchObject({ calls: 4, withoutRow: 0 });
    expect(world.alerts).toEqual([]);
    const retried = rowsOf(world.vault, world.workspaceId).filter(
      ({ action }) => action === 'key.decrypt_retried',
    );
    expect(retried.map(({ entity, detail }) => [entity.id, detail])).toEqual([
      [id, { version: '1', attempts: '2' }],
      [id, { version: '1', attempts: '2' }],
    ]);
  });

  it('takes a record that was delivered twice for one call', async () => {
    const id = await world.secret();
    await reveal(id);
    for (const { calls } of [...world.log.delivered]) world.log.deliver(calls);
    const [{ outcome } = fail()] = await world.nextMorning();
    expect(outcome).toMatchObject({ files: 2, calls: 1, withoutRow: 0 });
  });

  it('finds the row of a call at midnight on either side of it', async () => {
    const id = await world.secret();
    world.vault.clock.advance(12 * HOUR - 200);
    await world.vault.trail.commit(originOfOwner(), [opening(id)]);
    world.vault.clock.advance(400);
    world.decryptPastTheVault(world.contextOf(id));
    await world.nextMorning();
    expect(told()).toEqual([]);
  });
});

const originOfOwner = () => ({
  workspaceId: world.workspaceId,
  lane: 0,
  actor: { type: 'api_key', id: 'key_1' } as const,
  ip: '-',
  userAgent: '',
});
const opening = (id: string) =>
  ({
    action: 'secret.revealed',
    entity: { type: 'secret', id },
    result: 'success',
    detail: { version: '1' },
  }) as const;
function fail(): never {
  throw new Error('There is no result.');
}

describe('a decryption past the vault is found', () => {
  it.each([
    ['of a secret that nobody revealed', 10 * MINUTE, 1],
    ['of a secret that was revealed a minute ago', MINUTE, 1],
    ['of another version than the one revealed', 0, 2],
    ['in the same second as the reveal', 0, 1],
  ])('%s', async (_, after, version) => {
    const id = await world.secret();
    await reveal(id);
    world.vault.clock.advance(after);
    const eventId = world.decryptPastTheVault(world.contextOf(id, version));
    const [{ outcome } = fail()] = await world.nextMorning();
    expect(outcome).toMatchObject({ calls: 2, withoutRow: 1 });
    expect(told()).toEqual([withoutRow(`secret ${id} version ${version}`)]);
    expect(world.alerts[0]).toMatchObject({
      tier: 'critical',
      detail: { job: 'reconciler', day: '2026-01-01', calls: '1' },
    });
    if (after > 0 || version > 1) expect(world.alerts[0]?.occurrence).toBe(eventId);
    expect(world.events()).toMatchObject([{ result: 'failure', withoutRow: '1' }]);
  });

  it('by another principal, even where a row would account for it, and is told twice', async () => {
    const id = await world.secret();
    await world.vault.trail.commit(originOfOwner(), [opening(id)]);
    const principal = 'arn:aws:iam::000000000000:user/insider';
    const eventId = world.decryptPastTheVault(world.contextOf(id), { principal });
    await world.nextMorning();
    expect(told()).toEqual([
      withoutRow(`secret ${id} version 1`),
      ['decrypt_by_stranger', PLATFORM_WORKSPACE, `principal ${principal}`],
    ]);
    expect(world.alerts[1]).toMatchObject({ tier: 'critical', occurrence: eventId });
  });

  it('with a context that the vault never makes', async () => {
    const id = await world.secret();
    world.decryptPastTheVault({ ...world.contextOf(id), purpose: 'mine' } as never);
    world.decryptPastTheVault({ ...world.contextOf(id), workspaceId: 'ws_1#x' });
    await world.nextMorning();
    expect(world.alerts).toMatchObject([
      { kind: 'decrypt_by_stranger', detail: { reason: 'context', calls: '2' } },
    ]);
  });

  it('of a workspace that does not exist, and is told to the platform', async () => {
    const workspaceId = `ws_${'0'.repeat(32)}`;
    const secretId = `sec_${'1'.repeat(32)}`;
    world.decryptPastTheVault({ workspaceId, secretId, version: '1' });
    await world.nextMorning();
    expect(told()).toEqual([
      withoutRow(`secret ${secretId} version 1 of ${workspaceId}`, PLATFORM_WORKSPACE),
    ]);
  });

  it('when a failed opening tells fewer attempts than there were calls', async () => {
    const id = await world.secret();
    const failed = { ...opening(id), result: 'failure', detail: { version: '1', attempts: '2' } } as const;
    await world.vault.trail.commit(originOfOwner(), [opening(id), failed]);
    for (let call = 0; call < 3; call += 1) world.decryptPastTheVault(world.contextOf(id));
    const [{ outcome } = fail()] = await world.nextMorning();
    expect(outcome).toMatchObject({ calls: 3, withoutRow: 1 });
  });

  it('after midnight, when the row of before midnight is used up', async () => {
    const id = await world.secret();
    world.vault.clock.advance(12 * HOUR - 5_000);
    await reveal(id);
    world.vault.clock.advance(10_000);
    world.decryptPastTheVault(world.contextOf(id));
    await world.nextMorning();
    expect(told()).toEqual([withoutRow(`secret ${id} version 1`)]);
    expect(world.alerts[0]?.detail).toMatchObject({ day: '2026-01-02' });
  });

  it('of a secret that others reveal all the time: rows of before the span are not left over', async () => {
    const id = await world.secret();
    // From 23:44:52 to 00:15:02, every ten seconds.
    world.vault.clock.advance(12 * HOUR - 15 * MINUTE - 8_000);
    for (let count = 0; count < 180; count += 1) {
      await reveal(id);
      world.vault.clock.advance(10_000);
      if (count === 120) world.decryptPastTheVault(world.contextOf(id));
    }
    await world.nextMorning();
    expect(told()).toEqual([withoutRow(`secret ${id} version 1`)]);
    expect(world.alerts[0]?.detail).toMatchObject({ day: '2026-01-02', calls: '1' });
  });

  it('of a workspace whose record somebody spoiled, in its trail all the same', async () => {
    const id = await world.secret();
    world.decryptPastTheVault(world.contextOf(id));
    const { entity, row } = new Tamperer(world.vault.tables).entity('workspace', world.workspaceId);
    world.vault.tables.entities.set(`workspace#${world.workspaceId}#${world.workspaceId}`, {
      entity: { ...entity, name: 7 } as never,
      row,
    });
    await world.nextMorning();
    expect(told()).toEqual([withoutRow(`secret ${id} version 1`)]);
  });

  it('among so many calls that they do not fit into memory at once', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 12; count += 1) ids.push(await world.secret());
    for (const id of ids) await reveal(id);
    for (const id of ids.slice(0, 3)) world.decryptPastTheVault(world.contextOf(id));
    world.vault.clock.advance(DAY);
    const outcome = await reconcileDay(world.parts, '2026-01-01', undefined, 4);
    expect(outcome).toMatchObject({ files: 15, calls: 15, contexts: 12, withoutRow: 3 });
    expect(world.log.reads).toBeGreaterThan(1);
  });
});

describe('what was refused', () => {
  it('decrypted nothing, and is told where a stranger tried', async () => {
    const id = await world.secret();
    const principal = 'arn:aws:iam::000000000000:user/insider';
    const errorCode = 'AccessDenied';
    world.decryptPastTheVault(world.contextOf(id), { principal, errorCode });
    world.decryptPastTheVault(world.contextOf(id), { errorCode: 'ThrottlingException' });
    await reveal(id);
    const [{ outcome } = fail()] = await world.nextMorning();
    expect(outcome).toMatchObject({ calls: 1, withoutRow: 0, byStrangers: 0 });
    expect(world.alerts).toMatchObject([
      { tier: 'warning', kind: 'decrypt_by_stranger', subject: `refused principal ${principal}` },
    ]);
  });
});

describe('many findings', () => {
  it('are told up to a number, and the rest in one sum', async () => {
    for (let count = 0; count < 23; count += 1) {
      const id = await world.secret();
      world.decryptPastTheVault(world.contextOf(id), { principal: `arn:aws:iam::1:user/u${count}` });
    }
    await world.nextMorning();
    const subjects = (kind: string) =>
      world.alerts.filter((alert) => alert.kind === kind).map(({ subject }) => subject);
    expect(subjects('decrypt_without_row')).toHaveLength(21);
    expect(subjects('decrypt_without_row').at(-1)).toBe(
      `further secrets of ${world.workspaceId} on 2026-01-01`,
    );
    expect(subjects('decrypt_by_stranger')).toHaveLength(21);
    expect(world.alerts.every(({ detail }) => Object.keys(detail).length <= 7)).toBe(true);
  });
});

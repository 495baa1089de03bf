import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { removeMember } from '../../../core/members/remove-member.ts';
import { CANARY_WORKSPACE } from '../../../core/probe/canary.ts';
import { reconcileDeployment, reconcileOnOrder } from '../../../core/reconciliation/reconcile-deployment.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { newWorkspace } from '../../../core/workspaces/workspace.ts';
import { addPerson, loggedIn } from '../../support/people.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  type ReconciliationWorld,
  reconciliationWorld,
} from '../../support/reconciliation-world.ts';
import { Tamperer } from '../../support/tamper.ts';
import { enrolMfa, totpCode } from '../promises/world.ts';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await reconciliationWorld();
});

const reveal = (id: string) => revealSecret(world.vault, world.owner, { id });
const daysOf = (results: readonly { readonly day: string }[]) => results.map(({ day }) => day);

describe('the days', () => {
  it('are yesterday at first, then yesterday and once more the day before', async () => {
    expect(daysOf(await world.nextMorning())).toEqual(['2026-01-01']);
    expect(daysOf(await world.nextMorning())).toEqual(['2026-01-01', '2026-01-02']);
    expect(daysOf(await world.nextMorning())).toEqual(['2026-01-02', '2026-01-03']);
  });

  it('that were missed are made up for, two weeks of them', async () => {
    await world.nextMorning();
    world.vault.clock.advance(4 * DAY);
    expect(daysOf(await world.run())).toEqual(['2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05']);
    world.vault.clock.advance(30 * DAY);
    expect(await world.run()).toHaveLength(14);
  });

  it('stop when the time is up, and the next run goes on', async () => {
    await world.nextMorning();
    world.vault.clock.advance(3 * DAY);
    let left = 1;
    const results = reconcileDeployment(world.parts, () => left-- > 0);
    expect((await results.next()).value?.day).toBe('2026-01-02');
    expect((await results.next()).done).toBe(true);
    expect(daysOf(await world.run())).toEqual(['2026-01-03', '2026-01-04']);
  });

  it('have one event each, unless something else was found', async () => {
    const id = await world.secret();
    await reveal(id);
    await world.nextMorning();
    await world.run();
    await world.nextMorning();
    expect(world.events().map(({ day }) => day)).toEqual(['2026-01-01', '2026-01-02']);
  });

  it('are looked at again when calls of them come a day late', async () => {
    const id = await world.secret();
    const late = world.log.recordOf(world.contextOf(id));
    await world.nextMorning();
    expect(world.alerts).toEqual([]);
    world.log.deliver([late]);
    await world.nextMorning();
    expect(world.alerts).toMatchObject([
      { kind: 'decrypt_without_row', occurrence: late.eventId, detail: { day: '2026-01-01' } },
    ]);
    expect(world.events().map(({ day, result }) => [day, result])).toEqual([
      ['2026-01-01', 'success'],
      ['2026-01-01', 'failure'],
      ['2026-01-02', 'success'],
    ]);
  });

  it('can be ordered, with all that came until then, and today as far as it goes', async () => {
    const id = await world.secret();
    const late = world.log.recordOf(world.contextOf(id));
    await reveal(id);
    expect(await reconcileOnOrder(world.parts, '2026-01-01')).toMatchObject({ outcome: { calls: 1 } });
    world.vault.clock.advance(20 * DAY);
    world.log.deliver([late]);
    const { outcome } = await reconcileOnOrder(world.parts, '2026-01-01');
    expect(outcome).toMatchObject({ calls: 2, withoutRow: 1 });
  });

  it('give the same occurrence each time, so that nobody is told twice', async () => {
    const id = await world.secret();
    for (let call = 0; call < 3; call += 1) world.decryptPastTheVault(world.contextOf(id));
    await world.nextMorning();
    await world.run();
    expect(new Set(world.alerts.map(({ occurrence }) => occurrence)).size).toBe(1);
  });
});

describe('a run that fails', () => {
  it.each(['store.get', 'ledger.rows', 'ledger.append', 'jobState.read', 'jobState.replace'])(
    'at %s is told, and made up for by the next',
    async (failing) => {
      const id = await world.secret();
      await reveal(id);
      world.decryptPastTheVault(world.contextOf(id));
      world.vault.tables.faults = async ({ name }) => (name === failing ? 'before' : 'none');
      await expect(world.nextMorning()).rejects.toMatchObject({ code: 'unavailable' });
      world.vault.tables.faults = async () => 'none';
      world.alerts.length = 0;
      expect(await world.run()).toMatchObject([{ outcome: { calls: 2, withoutRow: 1 } }]);
      expect(world.alerts).toMatchObject([{ kind: 'decrypt_without_row' }]);
    },
  );

  it('for one day fails after the others, of which none waits for it', async () => {
    await world.nextMorning();
    const id = await world.secret();
    world.vault.clock.advance(2 * DAY);
    world.decryptPastTheVault(world.contextOf(id));
    world.vault.clock.advance(DAY);
    const { files } = world.log;
    world.log.files = (span) => {
      if (span.from < Date.parse('2026-01-03T00:00:00Z')) throw new Error('away');
      return files.call(world.log, span);
    };
    await expect(world.run()).rejects.toThrow('away');
    expect(world.alerts.map(({ kind, subject }) => [kind, subject])).toContainEqual([
      'decrypt_without_row',
      `secret ${id} version 1`,
    ]);
    expect(world.events().map(({ day }) => day)).toContain('2026-01-04');
    // No other try gets over what is none of the store's absence.
    expect(world.alerts).toContainEqual(
      expect.objectContaining({
        tier: 'critical',
        kind: 'job_failed',
        subject: 'reconciliation of 2026-01-02: broken',
      }),
    );
  });

  it('because an alert could not be raised is repeated', async () => {
    const id = await world.secret();
    world.decryptPastTheVault(world.contextOf(id));
    const { raise } = world.parts.alerts;
    const broken = new Error('away');
    Object.assign(world.parts.alerts, { raise: async () => Promise.reject(broken) });
    await expect(world.nextMorning()).rejects.toBe(broken);
    Object.assign(world.parts.alerts, { raise });
    await world.run();
    expect(world.alerts).toMatchObject([{ kind: 'decrypt_without_row' }]);
  });
});

describe('silence', () => {
  const reasons = () => world.alerts.map(({ kind, tier, detail }) => [kind, tier, detail['reason']]);

  it('on a deployment where nothing happened is no fault', async () => {
    await world.secret();
    expect(await world.nextMorning()).toMatchObject([{ outcome: { files: 0, isComplete: true } }]);
    expect(world.alerts).toEqual([]);
  });

  it('while values were opened is a trail that is switched off', async () => {
    const id = await world.secret();
    await reveal(id);
    world.log.delivered.length = 0;
    const [first] = await world.nextMorning();
    expect(first?.outcome.isComplete).toBe(false);
    expect(reasons()).toEqual([['job_failed', 'critical', 'no_calls']]);
    expect(world.events()).toMatchObject([{ result: 'failure', complete: 'false' }]);
  });

  it('while every opening failed is none', async () => {
    const id = await world.secret();
    const { unusable, keyArn } = world.vault.keys;
    unusable.add(keyArn);
    await expect(reveal(id)).rejects.toMatchObject({ code: 'key_unavailable' });
    unusable.delete(keyArn);
    await world.nextMorning();
    expect(world.alerts).toEqual([]);
  });

  it('for an hour in which the canary was revealed is told with its hours', async () => {
    const id = await world.secret();
    const { clock, trail } = world.vault;
    await trail.commit(systemOrigin(CANARY_WORKSPACE, 'probe'), [
      {
        action: 'workspace.created',
        entity: { type: 'workspace', id: CANARY_WORKSPACE },
        result: 'success',
        changes: [newWorkspace(CANARY_WORKSPACE, 'Canary', '2026-01-01T12:00:00.000Z')],
      },
    ]);
    const canary = {
      action: 'secret.revealed',
      entity: { type: 'secret', id: `sec_${'c'.repeat(32)}` },
      result: 'success',
      detail: { version: '1' },
    } as const;
    await reveal(id);
    for (let hour = 12; hour < 18; hour += 1) {
      for (let quarter = 0; quarter < 4; quarter += 1) {
        await trail.commit(systemOrigin(CANARY_WORKSPACE, 'probe'), [canary]);
        const isSwitchedOff = hour === 14 || hour === 15;
        const context = { workspaceId: CANARY_WORKSPACE, secretId: canary.entity.id, version: '1' };
        if (!isSwitchedOff) world.decryptPastTheVault(context);
        clock.advance(15 * MINUTE);
      }
    }
    await world.nextMorning();
    expect(reasons()).toEqual([['job_failed', 'critical', 'silent_hours']]);
    expect(world.alerts[0]?.detail['hours']).toBe('14 15');
  });

  it('of the last hour may be a delivery that is still to come', async () => {
    const id = await world.secret();
    await reveal(id);
    world.log.delivered.length = 0;
    world.vault.clock.advance(HOUR / 2);
    await reconcileOnOrder(world.parts, '2026-01-01');
    expect(world.alerts).toEqual([]);
  });

  it('a file that cannot be read is told, and the others are reconciled', async () => {
    const id = await world.secret();
    await reveal(id);
    world.log.deliver([], world.vault.clock.now(), true);
    world.decryptPastTheVault(world.contextOf(id));
    await world.nextMorning();
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['decrypt_without_row', 'job_failed']);
    expect(world.alerts[1]?.detail).toMatchObject({ reason: 'damaged_files', file: 'file 1' });
  });
});

describe('the secret of a second factor', () => {
  const EMAIL = 'ada@example.com';

  async function attempts() {
    const ada = await addPerson(world.vault, world.workspaceId, { email: EMAIL, role: 'admin' });
    const browser = await loggedIn(world.vault, EMAIL);
    const { secret } = await enrolMfa(world.vault, browser);
    world.vault.clock.advance(MINUTE);
    const { status } = await browser.post('/auth/step-up', { code: totpCode(world.vault, secret) });
    expect(status).toBe(200);
    return ada;
  }

  it('is opened with a row where its person works', async () => {
    await attempts();
    const [result] = await world.nextMorning();
    expect(result?.outcome).toMatchObject({ calls: 2, contexts: 1, withoutRow: 0 });
    expect(world.alerts).toEqual([]);
  });

  it('is found there although the person has left since', async () => {
    const { id } = await attempts();
    await removeMember(world.vault, world.owner, id);
    const [result] = await world.nextMorning();
    expect(result?.outcome).toMatchObject({ calls: 2, withoutRow: 0 });
  });

  it('of somebody whose record was spoiled is told, and keeps nothing else from being told', async () => {
    const { id } = await attempts();
    const secret = await world.secret();
    world.decryptPastTheVault(world.contextOf(secret));
    const { entity, row } = new Tamperer(world.vault.tables).entity('user', id);
    world.vault.tables.entities.set(`user#_platform#${id}`, {
      entity: { ...entity, email: 7 } as never,
      row,
    });
    await world.nextMorning();
    // The rows of the person's attempts are found all the same: other values of that workspace were opened, too.
    expect(world.alerts.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['decrypt_without_row', `secret ${secret} version 1`],
    ]);
  });

  it('is told to the platform when it was opened without one', async () => {
    const { id } = await attempts();
    const calls = world.log.delivered.flatMap((file) => file.calls);
    const [{ context } = { context: {} }] = calls;
    world.decryptPastTheVault(context as never);
    await world.nextMorning();
    expect(world.alerts).toMatchObject([
      {
        kind: 'decrypt_without_row',
        workspaceId: '_platform',
        subject: `second factor of user ${id} version ${(context as { version: string }).version}`,
      },
    ]);
  });
});

import type { RequestContext } from '../../../core/access/principal.ts';
import { acknowledgeAlert } from '../../../core/alerts/acknowledge-alert.ts';
import { type AlertRecord, alertId, alertRecordKind } from '../../../core/alerts/alert-record.ts';
import { closeAlert } from '../../../core/alerts/close-alert.ts';
import { raiseAlert } from '../../../core/alerts/raise-alert.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import type { Alert } from '../../../core/detection/alert.ts';
import { installedVault, type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { alertsOf } from '../../support/raised-alerts.ts';

const MINUTE = 60_000;

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let alert: Alert;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
  alert = {
    tier: 'warning',
    kind: 'volume_anomaly',
    workspaceId,
    subject: 'api_key key_1',
    seen: '900 reveals in an hour.',
    usual: 'At most 20.',
    rows: ['0-7', '0-8'],
    detail: { reveals: '900' },
  };
});

const raise = (change: Partial<Alert> = {}, at = vault) => raiseAlert(at, { ...alert, ...change }, 'anomaly');
const raisedRows = () => rowsOf(vault, workspaceId).filter(({ action }) => action === 'alert.raised');
async function stored(): Promise<AlertRecord> {
  const record = await vault.store.get(alertRecordKind, workspaceId, alertId(alert));
  if (record === undefined) throw new Error('The alert was not recorded.');
  return record;
}

describe('an alert that is raised', () => {
  it('is stored in its workspace, and told of in its trail', async () => {
    await raise({ occurrence: '0-8' });
    expect(await stored()).toEqual({
      kind: 'alert',
      workspaceId,
      id: expect.stringMatching(/^al_[0-9a-f]{32}$/),
      revision: 1,
      alertKind: 'volume_anomaly',
      tier: 'warning',
      subject: 'api_key key_1',
      seen: '900 reveals in an hour.',
      usual: 'At most 20.',
      rows: ['0-7', '0-8'],
      detail: { reveals: '900' },
      state: 'open',
      count: 1,
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      openedAt: '2026-01-01T00:00:00.000Z',
      lastSeenAt: '2026-01-01T00:00:00.000Z',
      occurrences: [{ name: '0-8', at: '2026-01-01T00:00:00.000Z' }],
    });
    expect(raisedRows()).toMatchObject([
      {
        actor: { type: 'system', id: 'anomaly' },
        entity: { type: 'alert', id: alertId(alert) },
        result: 'failure',
        detail: {
          kind: 'volume_anomaly',
          tier: 'warning',
          subject: 'api_key key_1',
          state: 'open',
          count: '1',
          seen: '900 reveals in an hour.',
          usual: 'At most 20.',
          rows: '0-7 0-8',
          reveals: '900',
        },
      },
    ]);
    expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
  });

  it('is the same one for the same kind and subject, and another else', async () => {
    await raise();
    await raise({ subject: 'api_key key_2' });
    await raise({ kind: 'off_hours' });
    vault.clock.advance(15 * MINUTE);
    await raise({ detail: { reveals: '1200' } });
    const counts = (await alertsOf(vault, workspaceId)).map(({ subject, count }) => [subject, count]);
    expect(counts[0]).toEqual(['api_key key_1', 2]);
    expect(counts.slice(1).toSorted()).toEqual([
      ['api_key key_1', 1],
      ['api_key key_2', 1],
    ]);
  });

  it('has the facts of the last time, and the times of the first and the last', async () => {
    await raise();
    vault.clock.advance(20 * MINUTE);
    const { seen, usual, ...plain } = alert;
    await raiseAlert(vault, { ...plain, rows: ['0-99'], detail: { reveals: '5' } }, 'anomaly');
    expect(await stored()).toMatchObject({
      rows: ['0-99'],
      detail: { reveals: '5' },
      count: 2,
      firstSeenAt: '2026-01-01T00:00:00.000Z',
      openedAt: '2026-01-01T00:00:00.000Z',
      lastSeenAt: '2026-01-01T00:20:00.000Z',
    });
    expect(await stored()).not.toHaveProperty('seen');
    expect(raisedRows().at(-1)?.detail).not.toHaveProperty('usual');
  });
});

describe('raised again', () => {
  it('for no occurrence, it is recorded once in 15 minutes', async () => {
    await raise();
    vault.clock.advance(15 * MINUTE - 1);
    await raise();
    expect(raisedRows()).toHaveLength(1);
    vault.clock.advance(1);
    await raise();
    expect(raisedRows()).toHaveLength(2);
    // By a function whose clock is behind.
    vault.clock.advance(-MINUTE);
    await raise();
    expect((await stored()).count).toBe(2);
  });

  it('for the same occurrence it stays as it is, however late and whatever came between', async () => {
    for (const occurrence of ['0-1', '0-2', '0-3']) await raise({ occurrence });
    vault.clock.advance(60 * MINUTE);
    for (const occurrence of ['0-3', '0-1', '0-2']) await raise({ occurrence });
    expect((await stored()).count).toBe(3);
    expect(raisedRows()).toHaveLength(3);
  });

  it('for ever new occurrences, it is recorded 20 times in 15 minutes: nobody buries the others under it', async () => {
    const burst = async (from: number) => {
      for (let seq = from; seq < from + 50; seq += 1) await raise({ occurrence: `0-${seq}` });
      return raisedRows().length;
    };
    expect(await burst(1)).toBe(20);
    // The guard, which is shown the same once more.
    expect(await burst(1)).toBe(20);
    vault.clock.advance(15 * MINUTE - 1);
    expect(await burst(101)).toBe(20);
    vault.clock.advance(1);
    expect(await burst(201)).toBe(40);
    expect((await stored()).occurrences.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, index) => `0-${index + 201}`),
    );
  });

  it('when it was closed or gets worse, it is recorded however often it was before', async () => {
    for (let seq = 1; seq <= 30; seq += 1) await raise({ occurrence: `0-${seq}` });
    await raise({ occurrence: '0-31', tier: 'critical' });
    expect(await stored()).toMatchObject({ tier: 'critical', count: 21 });
    await closeAlert(vault, owner, { id: (await stored()).id });
    await raise({ occurrence: '0-32' });
    expect(await stored()).toMatchObject({ state: 'open', count: 22 });
  });

  it('at a higher tier it is recorded at once, and a lower one does not take it down', async () => {
    await raise();
    await raise({ tier: 'critical' });
    await raise({ tier: 'info', occurrence: '0-1' });
    expect(await stored()).toMatchObject({ tier: 'critical', count: 3 });
    expect(raisedRows().map(({ detail }) => detail['tier'])).toEqual(['warning', 'critical', 'critical']);
  });

  it('opens again when it was closed, at once, and keeps what was noted', async () => {
    await raise();
    const { id } = await stored();
    await acknowledgeAlert(vault, owner, { id });
    await closeAlert(vault, owner, { id, note: 'The nightly rotation.' });
    await raise();
    const record = await stored();
    expect(record).toMatchObject({ state: 'open', count: 2, note: 'The nightly rotation.' });
    for (const gone of ['acknowledgedAt', 'acknowledgedBy', 'closedAt', 'closedBy'])
      expect(record).not.toHaveProperty(gone);
    expect(raisedRows().at(-1)?.detail).toMatchObject({ state: 'open', count: '2' });
  });

  it('stays closed for an occurrence that it was raised for before', async () => {
    await raise({ occurrence: '0-1' });
    const { id } = await stored();
    await closeAlert(vault, owner, { id });
    await raise({ occurrence: '0-1' });
    expect((await stored()).state).toBe('closed');
  });

  it('stays acknowledged while it goes on, and opens when it gets worse', async () => {
    await raise();
    const { id } = await stored();
    await acknowledgeAlert(vault, owner, { id });
    await raise({ occurrence: '0-1' });
    expect(await stored()).toMatchObject({ state: 'acknowledged', acknowledgedBy: owner.principal.id });
    await raise({ occurrence: '0-2', tier: 'critical' });
    expect((await stored()).state).toBe('open');
  });
});

describe('when things go wrong', () => {
  it('two functions that raise the first one at the same time meet at one alert', async () => {
    const other = memoryVault(vault);
    await Promise.all([
      raise({ occurrence: '0-1' }),
      raise({ occurrence: '0-2' }, other),
      raise({ occurrence: '0-1' }, other),
    ]);
    const { count, occurrences } = await stored();
    expect([count, occurrences.map(({ name }) => name).toSorted()]).toEqual([2, ['0-1', '0-2']]);
    expect(raisedRows()).toHaveLength(2);
    expect(await verifyWorkspace(vault, workspaceId)).toMatchObject({ ok: true });
  });

  it.each(['before', 'after', 'late'] as const)(
    'an answer that is lost %s the effect leaves one record, also when it is raised again',
    async (fault) => {
      let isFirst = true;
      vault.tables.faults = async ({ name }) => {
        if (name !== 'ledger.append' || !isFirst) return 'none';
        isFirst = false;
        return fault;
      };
      await raise({ occurrence: '0-1' });
      await raise({ occurrence: '0-1' });
      expect((await stored()).count).toBe(1);
      expect(raisedRows()).toHaveLength(1);
    },
  );

  it('a commit that took effect, of which the caller never heard, is not repeated', async () => {
    let lost = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append' || lost > 20) return 'none';
      lost += 1;
      return lost === 1 ? 'after' : 'before';
    };
    await expect(raise({ occurrence: '0-1' })).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    await raise({ occurrence: '0-1' });
    expect((await stored()).count).toBe(1);
  });

  it.each(['store.get', 'ledger.append'])('says so when %s is away', async (call) => {
    vault.tables.faults = async ({ name }) => (name === call ? 'before' : 'none');
    await expect(raise()).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('gives up when others are always faster, for then it is known', async () => {
    await raise();
    const other = memoryVault(vault);
    let turn = 0;
    const racing: MemoryVault = {
      ...vault,
      trail: {
        commit: async (origin, events) => {
          turn += 1;
          await raise({ occurrence: `other ${turn}` }, other);
          return vault.trail.commit(origin, events);
        },
      },
    };
    await expect(raise({ occurrence: '0-1' }, racing)).rejects.toMatchObject({ code: 'concurrent_change' });
    expect(turn).toBe(10);
  });
});

describe('an alert that is too long', () => {
  it('is cut to what a row holds, at whole characters', async () => {
    const long = '🔑'.repeat(600);
    const detail = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`fact${index}`, long]));
    alert = { ...alert, subject: long, seen: long, usual: long, detail };
    await raise({ rows: Array.from({ length: 40 }, (_, index) => `65535-${10 ** 15 + index}`) });
    const [record] = await alertsOf(vault, workspaceId);
    expect(record?.subject).toBe(`${'🔑'.repeat(149)}…`);
    expect(record?.rows).toHaveLength(20);
    expect(Object.keys(record?.detail ?? {})).toHaveLength(7);
    const [row] = raisedRows();
    expect(Object.keys(row?.detail ?? {})).toHaveLength(15);
    expect(row?.detail['rows']).toHaveLength(20 * 22 + 19);
    expect(row?.detail['seen']).toBe(`${'🔑'.repeat(249)}…`);
  });

  it('of lone surrogates is made well-formed', async () => {
    await raise({ subject: 'row \ud83d', detail: { at: '\udd11' } });
    expect(raisedRows()[0]?.detail).toMatchObject({ subject: 'row \ufffd', at: '\ufffd' });
  });

  it('does not let its own facts take the names of what every alert has', async () => {
    await raise({ detail: { kind: 'x', tier: 'x', subject: 'x', count: '77', state: 'x', seen: 'x' } });
    expect(raisedRows()[0]?.detail).toMatchObject({
      kind: 'volume_anomaly',
      tier: 'warning',
      subject: 'api_key key_1',
      count: '1',
      state: 'open',
      seen: '900 reveals in an hour.',
    });
  });
});

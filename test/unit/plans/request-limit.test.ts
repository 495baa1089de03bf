import type { Alert } from '../../../core/detection/alert.ts';
import { assignPlan } from '../../../core/plans/assign-plan.ts';
import type { PlanName } from '../../../core/plans/plan.ts';
import { createRequestLimit, FRESH_MS, type RequestLimit } from '../../../core/plans/request-limit.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { alertsOf, recordedAlerts } from '../../support/raised-alerts.ts';
import { putRows } from './numbered-rows.ts';

const LIMIT = 1_000_000;
const FULL = { code: 'plan_limit_exceeded' };

let vault: MemoryVault;
let workspaceId: string;
let limit: RequestLimit;
let calls: string[];
let raised: Alert[];
beforeEach(async () => {
  vault = memoryVault();
  workspaceId = await addWorkspace(vault);
  calls = [];
  raised = [];
  vault.tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
  limit = instance();
});

/** One more instance of the function. */
function instance(): RequestLimit {
  // A trail that knows of no lane yet.
  const alerts = recordedAlerts(memoryVault(vault));
  const raise = async (alert: Alert): Promise<void> => {
    raised.push(alert);
    await alerts.raise(alert);
  };
  return createRequestLimit({ ...vault, alerts: { raise }, defaultPlan: 'standard' });
}

const demand = () => limit.demand(workspaceId);
const keepFresh = () => limit.keepFresh(workspaceId);
const assign = (plan: PlanName) =>
  assignPlan({ ...memoryVault(vault), defaultPlan: 'standard' }, { workspaceId, plan });
/** Has the workspace's last row be this one. */
const rowsUpTo = (seq: number) =>
  putRows(vault, workspaceId, [new Date(vault.clock.now()).toISOString()], { first: seq });
const spent = (): string[] => calls.splice(0).toSorted();

describe('the limit of requests', () => {
  it('lets in up to it, and refuses with month, plan and number from then on', async () => {
    await rowsUpTo(LIMIT - 1);
    await demand();
    vault.clock.advance(FRESH_MS);
    await rowsUpTo(LIMIT);
    await keepFresh();
    await expect(demand()).rejects.toMatchObject({
      ...FULL,
      message: expect.stringContaining(
        'The plan standard allows 1,000,000 requests in a month, and 2026-01 has had 1,000,000.',
      ),
    });
  });

  it('costs no call while the count is fresh, and is counted anew a minute later, beside a request', async () => {
    await Promise.all([demand(), keepFresh()]);
    const cold = [
      'bookkeeping.noteRowsBefore',
      'bookkeeping.rowsBefore',
      'ledger.extraLanes',
      'ledger.lastRow',
      'ledger.rows',
      'store.get',
      'store.get',
    ];
    expect(spent()).toEqual(cold);
    vault.clock.advance(FRESH_MS - 1);
    await Promise.all([demand(), keepFresh()]);
    expect(spent()).toEqual([]);
    vault.clock.advance(1);
    await demand();
    expect(spent()).toEqual([]);
    const anew = ['bookkeeping.rowsBefore', 'ledger.extraLanes', 'ledger.lastRow', 'store.get'];
    await Promise.all([keepFresh(), keepFresh()]);
    expect(spent()).toEqual(anew);
    limit = instance();
    await Promise.all([demand(), keepFresh(), demand()]);
    expect(spent()).toEqual(anew);
  });

  it('is told apart by workspace', async () => {
    const other = await addWorkspace(vault);
    await rowsUpTo(LIMIT);
    await expect(demand()).rejects.toMatchObject(FULL);
    await limit.demand(other);
  });

  it('is over with the month, at once and though the count was fresh', async () => {
    vault.clock.advance(Date.parse('2026-01-31T23:59:59.999Z') - vault.clock.now());
    await rowsUpTo(LIMIT);
    await expect(demand()).rejects.toMatchObject(FULL);
    vault.clock.advance(1);
    await demand();
    await rowsUpTo(3 * LIMIT);
    await expect(instance().demand(workspaceId)).rejects.toMatchObject(FULL);
  });

  it('rises with the plan within a minute; nobody is refused for what is no longer so', async () => {
    await rowsUpTo(LIMIT);
    await expect(demand()).rejects.toMatchObject(FULL);
    await assign('compliance');
    await expect(demand()).rejects.toMatchObject(FULL);
    vault.clock.advance(FRESH_MS);
    await demand();
    await assign('standard');
    vault.clock.advance(FRESH_MS);
    await keepFresh();
    await expect(demand()).rejects.toMatchObject(FULL);
  });

  it('that cannot be found out lets in; one that is known stands', async () => {
    const break_ = (broken: string) => {
      vault.tables.faults = async ({ name }) => (name === broken ? 'before' : 'none');
    };
    await rowsUpTo(LIMIT);
    for (const broken of ['store.get', 'ledger.lastRow', 'ledger.extraLanes', 'bookkeeping.rowsBefore']) {
      limit = instance();
      break_(broken);
      await demand();
      await expect(keepFresh()).rejects.toMatchObject({ code: 'unavailable' });
      break_('');
      await expect(demand()).rejects.toMatchObject(FULL);
      vault.clock.advance(FRESH_MS);
      break_(broken);
      await expect(demand()).rejects.toMatchObject(FULL);
    }
  });

  it('is counted anew where the clock went back', async () => {
    await keepFresh();
    vault.clock.advance(-FRESH_MS);
    spent();
    await keepFresh();
    expect(spent()).not.toEqual([]);
  });
});

describe('the alert', () => {
  const near = 0.8 * LIMIT;

  it('comes from four fifths on, once, whoever counts how often', async () => {
    await rowsUpTo(near - 1);
    await keepFresh();
    expect(raised).toEqual([]);
    await rowsUpTo(near);
    for (const each of [limit, instance(), instance()]) {
      vault.clock.advance(FRESH_MS);
      await each.keepFresh(workspaceId);
      vault.clock.advance(FRESH_MS);
      await each.keepFresh(workspaceId);
    }
    expect(raised).toEqual([
      expect.objectContaining({
        tier: 'warning',
        kind: 'plan_limit_near',
        subject: 'requestsPerMonth 2026-01',
        seen: 'The workspace uses 800,000 of the 1,000,000 requests in a month that the plan standard allows.',
      }),
    ]);
    expect(await alertsOf(vault, workspaceId)).toMatchObject([{ count: 1, state: 'open' }]);
  });

  it('comes once more when all is used, and anew in the next month', async () => {
    for (const seq of [near, LIMIT, LIMIT + 5]) {
      await rowsUpTo(seq);
      await keepFresh();
      vault.clock.advance(FRESH_MS);
    }
    expect(raised.map(({ occurrence }) => occurrence)).toEqual(['near', 'reached']);
    vault.clock.advance(Date.parse('2026-02-10T00:00:00.000Z') - vault.clock.now());
    await keepFresh();
    await rowsUpTo(LIMIT + near + 100);
    vault.clock.advance(FRESH_MS);
    await keepFresh();
    const subjects = raised.map(({ subject, occurrence }) => `${subject} ${occurrence}`);
    expect(subjects.at(-1)).toBe('requestsPerMonth 2026-02 near');
    expect(subjects).toHaveLength(3);
  });

  it('comes again, rather than never, where somebody spoiled its record, and stops no count', async () => {
    await rowsUpTo(near);
    await keepFresh();
    for (const stored of vault.tables.entities.values())
      if (stored.entity.kind === 'alert') Object.assign(stored.entity, { occurrences: 'none' });
    await instance().keepFresh(workspaceId);
    expect(raised).toHaveLength(2);
  });
});

import { sweepTallies } from '../../../core/identity/sweep-tallies.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { assignPlan } from '../../../core/plans/assign-plan.ts';
import { createRequestLimit } from '../../../core/plans/request-limit.ts';
import { logger } from '../../../lambdas/shared/logger.ts';
import { addWorkspace, apiWorld } from '../../support/api-world.ts';
import { type ApiCall, callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import type { World } from '../../support/world.ts';
import { putRows } from './numbered-rows.ts';

const LIMIT = 1_000_000;
const MINUTE = 60_000;

let world: World;
let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  const made = await apiWorld();
  world = made;
  ({ vault, workspaceId } = made);
});

/** One more instance, of a deployment whose workspaces are on the plan standard. */
function standardInstance(): MemoryVault {
  const instance = memoryVault(vault);
  const defaultPlan = 'standard';
  return { ...instance, defaultPlan, requestLimit: createRequestLimit({ ...instance, defaultPlan }) };
}

const call = (instance: MemoryVault, method: string, path: string, more: Partial<ApiCall> = {}) =>
  callApi(instance, { method, path, token: world.ownerToken, ...more });

describe('GET /workspace/plan', () => {
  it('tells what the plan allows, and how much of it is used', async () => {
    const instance = standardInstance();
    await call(instance, 'POST', '/api-keys', { json: { name: 'x', role: 'viewer', namespaces: ['*'] } });
    const rows = rowsOf(vault, workspaceId).length;
    const { status, json } = await call(instance, 'GET', '/workspace/plan');
    expect({ status, json }).toEqual({
      status: 200,
      json: {
        plan: 'standard',
        limits: {
          secrets: 1_000,
          apiKeys: 50,
          members: 25,
          auditRetentionDays: 365,
          requestsPerMonth: LIMIT,
        },
        features: [],
        usage: { secrets: 1, apiKeys: 2, members: 0, requests: [{ month: '2026-01', count: rows }] },
      },
    });
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({ action: 'plan.read', result: 'success' });
  });

  it('tells of this month and eleven before it, and of no time before the workspace', async () => {
    vault.clock.advance(40 * DAY_MS);
    const months = async (): Promise<string[]> => {
      const { json } = await call(vault, 'GET', '/workspace/plan');
      return (json as { usage: { requests: { month: string }[] } }).usage.requests.map(({ month }) => month);
    };
    expect(await months()).toEqual(['2026-02', '2026-01']);
    vault.clock.advance(600 * DAY_MS);
    expect(await months()).toHaveLength(12);
  });
});

describe('over the limit of requests', () => {
  let instance: MemoryVault;
  beforeEach(async () => {
    await putRows(vault, workspaceId, [new Date(vault.clock.now()).toISOString()], { first: LIMIT });
    instance = standardInstance();
  });
  const reveal = (more: Partial<ApiCall> = {}, by = instance) =>
    call(by, 'POST', '/secrets/reveal', { json: { namespace: 'costs' }, ...more });

  it('secrets, namespaces and new keys are refused, with what to do', async () => {
    const refused = await reveal();
    expect([refused.status, problemCode(refused)]).toEqual([402, 'plan_limit_exceeded']);
    expect(refused.text).toContain('1,000,000 requests in a month, and 2026-01 has had');
    expect(vault.keys.calls).not.toContain('decrypt');
    for (const [method, path] of [
      ['GET', '/secrets'],
      ['GET', '/namespaces'],
      ['POST', '/secrets'],
      ['GET', '/secrets/export'],
      ['POST', '/api-keys'],
    ] as const)
      expect(problemCode(await call(instance, method, path))).toBe('plan_limit_exceeded');
  });

  it('whatever an owner needs to see why, and to end a key that runs away, goes on', async () => {
    const { apiKeys } = { apiKeys: await call(instance, 'GET', '/api-keys') };
    expect(apiKeys.status).toBe(200);
    for (const path of ['/workspace', '/workspace/plan', '/workspace/members', '/audit', '/alerts'])
      expect([path, (await call(instance, 'GET', path)).status]).toEqual([path, 200]);
    const [{ id }] = (apiKeys.json as { items: [{ id: string }] }).items;
    const rotated = await call(instance, 'POST', `/api-keys/${id}/rotate`, { json: { overlapSeconds: 60 } });
    expect(rotated.status).toBe(201);
    expect((await call(instance, 'DELETE', `/api-keys/${id}`)).status).toBe(204);
  });

  it('a client that goes on leaves a row or two a minute, and uses nothing up', async () => {
    const before = rowsOf(vault, workspaceId).length;
    const strangers = rowsOf(vault, workspaceId, 1).length;
    for (let minute = 0; minute < 3; minute += 1) {
      for (let request = 0; request < 50; request += 1) expect((await reveal()).status).toBe(402);
      vault.clock.advance(MINUTE);
    }
    vault.clock.advance(2 * MINUTE);
    await sweepTallies(instance);
    expect(rowsOf(vault, workspaceId)).toHaveLength(before);
    const rows = rowsOf(vault, workspaceId, 1).slice(strangers);
    const told = rows.filter(({ detail }) => detail['reason'] === 'plan_limit');
    expect(told).toHaveLength(6);
    expect(told.map(({ result }) => result)).toEqual(Array(6).fill('denied'));
    expect(told.at(-1)?.detail).toMatchObject({ repeats: '49', sourceIp: '203.0.113.7' });
  });

  it('it goes on a minute after a larger plan was assigned, or in the next month', async () => {
    expect((await reveal()).status).toBe(402);
    await assignPlan(memoryVault(vault), { workspaceId, plan: 'compliance' });
    vault.clock.advance(MINUTE);
    expect((await reveal()).status).toBe(200);
    await assignPlan(memoryVault(vault), { workspaceId, plan: 'standard' });
    vault.clock.advance(MINUTE);
    // Beside this one the count is made anew.
    await reveal();
    expect((await reveal()).status).toBe(402);
    vault.clock.advance(31 * DAY_MS);
    expect((await reveal()).status).toBe(200);
  });

  it('others are served, and strangers are still not known', async () => {
    await addWorkspace(vault);
    expect((await reveal({ token: `lz_${'A'.repeat(43)}` })).status).toBe(401);
  });

  it('it cannot be said where the table does not answer: the request is let in', async () => {
    const warned = jest.spyOn(logger, 'warn').mockImplementation();
    vault.tables.faults = async ({ name }) => (name === 'bookkeeping.rowsBefore' ? 'before' : 'none');
    expect((await reveal()).status).toBe(200);
    expect(warned).toHaveBeenCalledWith('The requests of a workspace were not counted', {
      workspaceId,
      error: 'unavailable',
    });
    warned.mockRestore();
  });
});

describe('assigning a plan', () => {
  it('leaves a row of the system, once', async () => {
    const order = { workspaceId, plan: 'compliance' } as const;
    expect(await assignPlan(vault, order)).toEqual({ ...order, previous: 'enterprise' });
    expect(await assignPlan(vault, order)).toEqual({ ...order, previous: 'compliance' });
    const rows = rowsOf(vault, workspaceId).filter(({ action }) => action === 'workspace.plan_assigned');
    expect(rows).toMatchObject([
      {
        actor: { type: 'system', id: 'assign-plan' },
        detail: { plan: 'compliance', previous: 'enterprise' },
      },
    ]);
  });

  it('holds though the workspace is changed otherwise at that moment', async () => {
    let raced = false;
    vault.tables.answers = async ({ name }) => {
      if (name !== 'store.get' || raced) return;
      raced = true;
      await call(memoryVault(vault), 'PATCH', '/workspace', { json: { name: 'Renamed' } });
    };
    await assignPlan(memoryVault(vault), { workspaceId, plan: 'standard' });
    const { json } = await call(vault, 'GET', '/workspace');
    expect(json).toMatchObject({ name: 'Renamed' });
    expect((await call(vault, 'GET', '/workspace/plan')).json).toMatchObject({ plan: 'standard' });
  });

  it('is for workspaces that are there', async () => {
    for (const absent of ['ws_none', '_platform'])
      await expect(assignPlan(vault, { workspaceId: absent, plan: 'standard' })).rejects.toMatchObject({
        code: 'not_found',
      });
  });
});

import { withDevVault } from '../support/api.ts';

withDevVault('plans', (vault) => {
  it('are assigned by the operator, hold from the next request on, and are told', async () => {
    const { owner, config } = vault;
    const { workspaceId } = config;
    expect((await owner.get('/workspace/plan')).json).toMatchObject({ plan: 'enterprise' });
    const schedule = { json: { every: 'week' } };
    expect((await owner.put('/workspace/evidence-schedule', schedule)).status).toBe(200);

    await vault.runJob('assign-plan', { workspaceId, plan: 'standard' });
    expect((await owner.get('/workspace/plan')).json).toMatchObject({
      plan: 'standard',
      limits: { secrets: 1_000 },
      features: [],
    });
    expect(await owner.put('/workspace/evidence-schedule', { json: { every: 'month' } })).toMatchObject({
      status: 403,
      json: { code: 'not_in_plan', detail: expect.stringContaining('compliance, enterprise') },
    });
    expect(await owner.patch('/workspace', { json: { auditRetentionDays: 400 } })).toMatchObject({
      status: 402,
      json: { code: 'plan_limit_exceeded' },
    });
    const { json } = await owner.get('/audit?action=workspace.plan_assigned');
    expect(json).toMatchObject({
      items: [{ actor: { type: 'system' }, detail: { plan: 'standard' } }],
    });

    await expect(vault.runJob('assign-plan', { workspaceId, plan: 'gold' })).rejects.toThrow(/plan/);
    await vault.runJob('assign-plan', { workspaceId, plan: 'enterprise' });
    expect((await owner.put('/workspace/evidence-schedule', { json: { every: 'month' } })).status).toBe(200);
  });
});

import type { RequestContext } from '../../../core/access/principal.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { evidenceScheduleKind } from '../../../core/evidence-schedule/evidence-schedule.ts';
import type { Rhythm } from '../../../core/evidence-schedule/period.ts';
import { readSchedule, setEvidenceSchedule } from '../../../core/evidence-schedule/schedule-evidence.ts';
import { update } from '../../../core/kernel/entity.ts';
import { apiWorld } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { callerWith, installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';

const PATH = '/workspace/evidence-schedule';

/** A person who has just proven who they are. */
function admin(workspaceId: string): RequestContext {
  return callerWith({
    workspaceId,
    role: 'admin',
    type: 'user',
    sessionId: 'ses_1',
    steppedUp: true,
  } as never);
}

async function world(day = '2026-11-18') {
  const { vault, owner } = await installedVault();
  vault.clock.advance(Date.parse(`${day}T10:00:00.000Z`) - vault.clock.now());
  const { workspaceId } = owner.principal;
  const set = (every: Rhythm) => setEvidenceSchedule(vault, admin(workspaceId), { every });
  return { vault, workspaceId, set };
}

/** The job has done all up to a day. */
async function exportedUpTo(vault: MemoryVault, workspaceId: string, nextFrom: string): Promise<void> {
  const schedule = await readSchedule(vault.store, workspaceId);
  if (schedule === undefined) throw new Error('There is no schedule.');
  const begun = { parts: 2, nextLeaf: 7 };
  await vault.trail.commit(systemOrigin(workspaceId, 'evidence-export'), [
    {
      action: 'evidence_schedule.exported',
      entity: { type: 'evidence_schedule', id: workspaceId },
      result: 'success',
      changes: [update(evidenceScheduleKind, schedule, { nextFrom, begun })],
    },
  ]);
}

describe('a schedule', () => {
  it.each([
    ['week', '2026-11-16'],
    ['month', '2026-11-01'],
  ] as const)('begins with the %s that is under way', async (every, nextFrom) => {
    const { vault, workspaceId, set } = await world();
    expect(await set(every)).toMatchObject({ every, nextFrom });
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
      action: 'evidence_schedule.updated',
      detail: { every, nextFrom },
    });
  });

  it('that is set once more as it is goes on where it was', async () => {
    const { vault, workspaceId, set } = await world();
    await set('week');
    await exportedUpTo(vault, workspaceId, '2026-11-23');
    vault.clock.advance(30 * 24 * 60 * 60 * 1000);
    expect(await set('week')).toMatchObject({ nextFrom: '2026-11-23', begun: { parts: 2, nextLeaf: 7 } });
  });

  it.each([
    ['week', '2026-11-30', 'month', '2026-11-01'],
    ['month', '2026-12-01', 'week', '2026-11-30'],
  ] as const)('of each %s goes on from %s in another rhythm, and leaves no day out', async (...row) => {
    const [before, upTo, after, nextFrom] = row;
    const { vault, workspaceId, set } = await world();
    await set(before);
    await exportedUpTo(vault, workspaceId, upTo);
    vault.clock.advance(60 * 24 * 60 * 60 * 1000);
    const changed = await set(after);
    expect(changed).toMatchObject({ every: after, nextFrom });
    expect(changed.begun).toBeUndefined();
  });

  it('is not in every plan', async () => {
    const { vault, workspaceId } = await world();
    const parts = { ...vault, defaultPlan: 'standard' } as const;
    await expect(setEvidenceSchedule(parts, admin(workspaceId), { every: 'week' })).rejects.toMatchObject({
      code: 'not_in_plan',
    });
    expect(await readSchedule(vault.store, workspaceId)).toBeUndefined();
  });
});

describe('over HTTP', () => {
  it('is told, set, changed by its ETag, and deleted', async () => {
    const { vault, workspaceId, ownerToken: token } = await apiWorld();
    const call = (method: 'GET' | 'PUT' | 'DELETE', rest: object = {}) =>
      callApi(vault, { method, path: PATH, token, ...rest });
    const prefix = `evidence/${workspaceId}/`;
    expect(await call('GET')).toMatchObject({
      status: 200,
      json: { every: null, prefix, nextPeriod: null, exported: null },
    });
    expect((await call('DELETE')).status).toBe(404);
    const made = await call('PUT', { json: { every: 'month' } });
    expect(made).toMatchObject({
      status: 200,
      headers: { ETag: '"v1"' },
      json: { every: 'month', prefix, exported: null, nextPeriod: { name: '2026-01', to: '2026-02-01' } },
    });
    const other = { json: { every: 'week' }, headers: { 'If-Match': '"v9"' } };
    expect((await call('PUT', other)).status).toBe(412);
    const right = { ...other, headers: { 'If-Match': '"v1"' } };
    expect(await call('PUT', right)).toMatchObject({ status: 200, headers: { ETag: '"v2"' } });
    expect(await call('GET')).toMatchObject({ json: { every: 'week' } });
    expect((await call('PUT', { json: { every: 'day' } })).status).toBe(400);
    expect((await call('DELETE')).status).toBe(204);
    expect(await call('GET')).toMatchObject({ json: { every: null } });
  });
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { evidenceScheduleKind } from '../../../core/evidence-schedule/evidence-schedule.ts';
import { exportDeployment } from '../../../core/evidence-schedule/export-deployment.ts';
import { readSchedule } from '../../../core/evidence-schedule/schedule-evidence.ts';
import { create, update } from '../../../core/kernel/entity.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { verifyEvidence } from '../../../verify/verify.js';
import { KEY, type ScheduledLog, SUNDAY, scheduled } from './scheduled-log.ts';

describe('a week that is over', () => {
  it('is in the archive as one bundle, valid for whoever has the key, with an event that names it', async () => {
    const log = await (await scheduled()).week();
    expect(await log.export()).toEqual({ status: 'current', bundles: 1 });
    const files = log.bundle();
    const { verdict, problems } = verifyEvidence(files, { keys: [await log.key()] });
    expect({ verdict, problems }).toEqual({ verdict: 'valid', problems: [] });
    expect(JSON.parse(String(files.get('bundle.json')))).toMatchObject({
      from: '2025-12-29T00:00:00.000Z',
      to: '2026-01-05T00:00:00.000Z',
      createdAt: '2026-01-05T00:00:00.000Z',
    });
    expect([...files.keys()].filter((name) => /^manifests\/.*\.json$/.test(name))).toHaveLength(4);
    const object = log.archive.current(KEY);
    expect(log.events()).toMatchObject([
      { period: '2026-W01', key: KEY, versionId: object?.versionId, part: '1', last: 'true' },
    ]);
    const rows = String(files.get('leaves.ndjson')).trim().split('\n');
    expect(log.events()[0]?.['rows']).toBe(String(rows.length));
    expect(object?.lock?.retainUntil).toBeGreaterThanOrEqual(SUNDAY + 2_557 * DAY_MS);
    expect(await readSchedule(log.tables.store, log.workspaceId)).toMatchObject({
      nextFrom: '2026-01-05',
      exported: { period: '2026-W01' },
    });
  });

  it('can be checked offline by the command, with the key and the checkpoint of the week before', async () => {
    const log = await (await scheduled()).week();
    await log.export();
    await log.seal();
    log.goTo(SUNDAY + 9 * DAY_MS);
    await log.run();
    await log.export();
    const folder = mkdtempSync(join(tmpdir(), 'lockzero-evidence-'));
    try {
      const next = log.archive.current('evidence/ws_1/2026-W02.zip');
      writeFileSync(join(folder, 'bundle.zip'), next?.bytes ?? '');
      writeFileSync(join(folder, 'kept'), log.bundle().get('checkpoint') ?? '');
      const args = ['bundle.zip', '--key', await log.key(), '--checkpoint', 'kept'];
      const { status, stdout } = spawnSync(process.execPath, [resolve('verify/bin.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env: {},
      });
      expect(stdout.trimEnd().split('\n')).toEqual(
        expect.arrayContaining([
          '        1  checkpoint that you kept, and the log grew from it',
          '        1  manifests of days',
          'valid',
        ]),
      );
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is exported once', async () => {
    const log = await (await scheduled()).week();
    await log.export();
    expect(await log.export()).toEqual({ status: 'current', bundles: 0 });
    expect(log.evidence()).toHaveLength(1);
    expect(log.events()).toHaveLength(1);
  });

  it('is exported when its last day is archived, and somebody is told if that takes two days', async () => {
    const log = await scheduled();
    while (log.today <= SUNDAY) await log.day(2);
    expect(await log.export()).toEqual({ status: 'waiting', bundles: 0 });
    expect(log.alerts).toEqual([]);
    log.clock.advance(2 * DAY_MS);
    await log.export();
    expect(log.alerts).toMatchObject([
      { tier: 'warning', kind: 'job_failed', subject: 'evidence of 2026-W01' },
    ]);
    await log.run();
    expect(await log.export()).toEqual({ status: 'current', bundles: 1 });
  });

  it('without a row has an event, and no bundle', async () => {
    const log = await (await scheduled()).week();
    await log.export();
    // The event of the export itself lies in the second week, and nothing in the third.
    await log.seal();
    log.clock.advance(14 * DAY_MS);
    await log.run();
    expect(await log.export()).toEqual({ status: 'current', bundles: 1 });
    expect(log.events().map(({ period, rows, key }) => [period, rows !== '0', key !== undefined])).toEqual([
      ['2026-W01', true, true],
      ['2026-W02', true, true],
      ['2026-W03', false, false],
    ]);
  });

  it('that was sealed together with the week before is taken from the tree that the week before names', async () => {
    const log = await scheduled();
    log.goTo(SUNDAY + DAY_MS - 1_000);
    await log.write(2);
    log.goTo(SUNDAY + DAY_MS + 1_000);
    await log.write(2);
    await log.seal();
    log.goTo(SUNDAY + 8 * DAY_MS + 4 * 60 * 60 * 1000);
    await log.run();
    expect(log.manifest('2026-01-05').checkpoints).toEqual([]);
    expect(await log.export()).toEqual({ status: 'current', bundles: 2 });
    const { verdict } = verifyEvidence(log.bundle('evidence/ws_1/2026-W02.zip'), { keys: [await log.key()] });
    expect(verdict).toBe('valid');
  });

  it('of a deleted workspace is not exported any more', async () => {
    const log = await (await scheduled()).week();
    const workspace = await log.tables.store.get(workspaceKind, log.workspaceId, log.workspaceId);
    if (workspace === undefined) throw new Error('There is no workspace.');
    await log.commit(systemOrigin(log.workspaceId, 'test'), [
      {
        action: 'workspace.deleted',
        entity: { type: 'workspace', id: log.workspaceId },
        result: 'success',
        changes: [update(workspaceKind, workspace, { deletedAt: '2026-01-05T00:00:00.000Z' })],
      },
    ]);
    expect(await log.export()).toEqual({ status: 'current', bundles: 0 });
    expect(log.evidence()).toEqual([]);
  });
});

describe('a week with many rows', () => {
  const partLimits = { leaves: 10, bytes: 1_000_000 };

  it('is in parts, of which each is valid and which together have each leaf once', async () => {
    const log = await (await scheduled()).week();
    const { bundles } = await log.export({ partLimits });
    expect(bundles).toBeGreaterThan(2);
    const parts = Array.from({ length: bundles }, (_, index) => `evidence/ws_1/2026-W01-${index + 1}.zip`);
    expect(log.evidence().map(([key]) => key)).toEqual(parts);
    let next: number | undefined;
    for (const part of parts) {
      const files = log.bundle(part);
      const { verdict, problems } = verifyEvidence(files, { keys: [await log.key()] });
      expect({ verdict, problems }).toEqual({ verdict: 'valid', problems: [] });
      const { firstLeaf, leaves } = JSON.parse(String(files.get('bundle.json')));
      expect(leaves).toBeLessThanOrEqual(10);
      if (next !== undefined) expect(firstLeaf).toBe(next);
      next = firstLeaf + leaves;
    }
    expect(log.events().map(({ part, last }) => [part, last])).toEqual(
      parts.map((_, index) => [String(index + 1), String(index === parts.length - 1)]),
    );
  });

  it('goes on where a run ended for lack of time', async () => {
    const log = await (await scheduled()).week();
    let left = 2;
    expect(await log.export({ partLimits }, () => left-- > 0)).toEqual({ status: 'interrupted', bundles: 2 });
    expect(await readSchedule(log.tables.store, log.workspaceId)).toMatchObject({
      nextFrom: '2025-12-29',
      begun: { parts: 2 },
    });
    const { bundles } = await log.export({ partLimits });
    expect(log.events()).toHaveLength(2 + bundles);
    expect(new Set(log.evidence().map(([key]) => key)).size).toBe(2 + bundles);
  });
});

describe('a deployment', () => {
  const exported = async (log: ScheduledLog, mayGoOn = () => true) => {
    const results = [];
    for await (const result of exportDeployment(log.exporting, mayGoOn)) results.push(result);
    return results;
  };

  it('has the workspaces exported that have a schedule', async () => {
    const log = await (await scheduled()).week();
    expect(await exported(log)).toEqual([
      { workspaceId: 'ws_1', outcome: { status: 'current', bundles: 1 } },
    ]);
    expect(await exported(log, () => false)).toEqual([]);
  });

  it('has no workspace wait until a large one is done', async () => {
    const log = await (await scheduled()).week();
    const small = 'ws_2';
    const content = { every: 'week', nextFrom: '2025-12-29', updatedAt: '', updatedBy: 'test' } as const;
    await log.commit(systemOrigin(small, 'test'), [
      {
        action: 'evidence_schedule.updated',
        entity: { type: 'evidence_schedule', id: small },
        result: 'success',
        changes: [create(evidenceScheduleKind, { workspaceId: small, id: small, ...content })],
      },
    ]);
    const partLimits = { leaves: 1, bytes: 1_000_000 };
    const results = [];
    let bundlesBefore = 0;
    for await (const result of exportDeployment({ ...log.exporting, partLimits }, () => true)) {
      results.push(result.workspaceId);
      if (result.workspaceId === small) bundlesBefore = log.evidence().length;
    }
    expect(results).toEqual([small, 'ws_1']);
    expect(bundlesBefore).toBeLessThan(log.evidence().length);
    expect(log.events().at(-1)).toMatchObject({ last: 'true' });
  });

  it('has the bundles of a workspace counted that the time was too short for', async () => {
    const log = await (await scheduled()).week();
    const partLimits = { leaves: 1, bytes: 1_000_000 };
    let left = 16;
    const results = [];
    for await (const result of exportDeployment({ ...log.exporting, partLimits }, () => left-- > 0))
      results.push(result);
    const { length: bundles } = log.evidence();
    expect(bundles).toBeGreaterThan(8);
    expect(results).toEqual([{ workspaceId: 'ws_1', outcome: { status: 'interrupted', bundles } }]);
  });

  it('tells a workspace that failed', async () => {
    const log = await (await scheduled()).week();
    log.tables.faults = async ({ name }) => (name === 'archive.read' ? 'before' : 'none');
    expect(await exported(log)).toMatchObject([{ workspaceId: 'ws_1', error: { code: 'unavailable' } }]);
  });
});

import { zipSync } from 'fflate';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { decodeRow } from '../../../core/audit/row.ts';
import { currentVerifierKey } from '../../../core/evidence/read-checkpoint.ts';
import { exportDeployment } from '../../../core/evidence-schedule/export-deployment.ts';
import { type ExportParts, exportWorkspace } from '../../../core/evidence-schedule/export-workspace.ts';
import type { Rhythm } from '../../../core/evidence-schedule/period.ts';
import { readSchedule, setEvidenceSchedule } from '../../../core/evidence-schedule/schedule-evidence.ts';
import { update } from '../../../core/kernel/entity.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { unzip } from '../../../verify/bundle.js';
import { verifyEvidence } from '../../../verify/verify.js';
import { ArchivedLog, withFault } from '../../support/archived-log.ts';
import { callerWith } from '../../support/memory-vault.ts';

const KEY = 'evidence/ws_1/2026-W01.zip';
/** Each fault has a history of its own. */
const TIME_LIMIT_MS = 30_000;
/** The archive of the last day is made in the morning after it; so is the evidence. */
const SUNDAY = Date.parse('2026-01-04T00:00:00.000Z');

/** A workspace that exists since Thursday, January 1st, 2026, and wants its evidence. */
class ScheduledLog extends ArchivedLog {
  get exporting(): ExportParts {
    const { archive, seals, signer, logName } = this.parts;
    return { ...this.parts, log: { archive, seals, signer, logName } };
  }

  async schedule(every: Rhythm = 'week'): Promise<this> {
    const admin = callerWith({ workspaceId: this.workspaceId, role: 'owner' });
    await setEvidenceSchedule({ ...this.parts, defaultPlan: 'enterprise' }, admin, { every });
    return this;
  }

  /** Rows on each day up to and with the Sunday, all archived. Ends on Monday morning. */
  async week(rows = 4): Promise<this> {
    while (this.today <= SUNDAY) {
      await this.day(rows, 1);
      await this.run();
    }
    return this;
  }

  /** Rows on the Sunday alone, archived. */
  async sunday(rows: number): Promise<this> {
    this.goTo(SUNDAY);
    await this.day(rows);
    await this.run();
    return this;
  }

  export(parts: Partial<ExportParts> = {}, mayGoOn?: () => boolean) {
    return exportWorkspace({ ...this.exporting, ...parts }, this.workspaceId, mayGoOn);
  }

  key(): Promise<string> {
    return currentVerifierKey(this.exporting.log, this.workspaceId);
  }

  /** All versions of what was exported: key and content. */
  evidence(): readonly (readonly [key: string, hex: string])[] {
    return [...this.archive.versions]
      .filter(([key]) => key.startsWith('evidence/'))
      .flatMap(([key, versions]) =>
        versions.map((version) => [key, Buffer.from(version?.bytes ?? []).toString('hex')] as const),
      );
  }

  /** The details of the events of the export. */
  events() {
    return this.tables
      .lane(this.lane())
      .map(({ bytes }) => decodeRow(bytes))
      .filter(({ action }) => action === 'evidence_schedule.exported')
      .map(({ detail }) => detail);
  }

  bundle(key = KEY) {
    const object = this.archive.current(key);
    if (object === undefined) throw new Error(`There is no ${key}.`);
    return unzip(Buffer.from(object.bytes));
  }
}

async function scheduled(): Promise<ScheduledLog> {
  const log = new ScheduledLog();
  await log.begin();
  return log.schedule();
}

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

describe('a run that dies', () => {
  const partLimits = { leaves: 5, bytes: 1_000_000 };
  const sunday = async () => (await scheduled()).sunday(6);

  /** Of each kind of call the first and the last, by their numbers. */
  async function callsOfARun(): Promise<readonly (readonly [name: string, number: number])[]> {
    const log = await sunday();
    const names: string[] = [];
    log.tables.faults = async ({ name }) => {
      names.push(name);
      return 'none';
    };
    await log.export({ partLimits });
    return [...new Set(names)].flatMap((name) => [
      [name, names.indexOf(name) + 1] as const,
      [name, names.lastIndexOf(name) + 1] as const,
    ]);
  }

  it(
    'at a call, before or after it took effect, leaves what the next one finishes, to the same bytes',
    async () => {
      const twin = await sunday();
      await twin.export({ partLimits });
      expect(twin.evidence()).toHaveLength(2);
      const calls = await callsOfARun();
      const writes = calls.filter(([name]) => name === 'archive.create' || name === 'ledger.append');
      const faults = [
        ...calls.map((call) => [...call, 'before'] as const),
        ...writes.map((call) => [...call, 'after'] as const),
      ];
      for (const [name, number, fault] of faults) {
        const log = await sunday();
        expect(await withFault(log, number, fault, () => log.export({ partLimits }))).toBe(true);
        // By the next day there are more seals, and the days after the week are archived, too.
        await log.day(1);
        await log.run();
        expect(await log.export({ partLimits })).toMatchObject({ status: 'current' });
        expect({ name, fault, evidence: log.evidence() }).toEqual({ name, fault, evidence: twin.evidence() });
        expect(log.events().map(({ key }) => key)).toEqual(twin.events().map(({ key }) => key));
        expect(log.alerts).toEqual([]);
      }
    },
    TIME_LIMIT_MS,
  );

  it('while another one does the same: neither writes anything twice', async () => {
    const log = await sunday();
    await Promise.all([log.export({ partLimits }), log.export({ partLimits })]);
    const keys = log.evidence().map(([key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(log.events().map(({ key }) => key)).toEqual(keys);
  });
});

describe('the name of a bundle', () => {
  it('that is taken by the same files is taken over, however they were packed', async () => {
    const twin = await (await scheduled()).week();
    await twin.export();
    const log = await (await scheduled()).week();
    log.archive.put(KEY, zipSync(Object.fromEntries(twin.bundle()), { level: 0 }));
    expect(await log.export()).toEqual({ status: 'current', bundles: 1 });
    expect(log.evidence()).toHaveLength(1);
  });

  it.each([
    ['other bytes', () => Buffer.from('evidence of something else')],
    ['fewer files', (files: Map<string, Buffer>) => zipSync(Object.fromEntries([...files].slice(1)))],
    [
      'one file more',
      (files: Map<string, Buffer>) => zipSync({ ...Object.fromEntries(files), more: Uint8Array.of(1) }),
    ],
  ])('that is taken by %s is told, and nothing is recorded', async (_, planted) => {
    const twin = await (await scheduled()).week();
    await twin.export();
    const log = await (await scheduled()).week();
    log.archive.put(KEY, planted(twin.bundle()));
    expect(await log.export()).toEqual({ status: 'refused', bundles: 0 });
    expect(log.alerts).toMatchObject([
      { tier: 'critical', kind: 'archive_conflict', subject: KEY, detail: { reason: 'taken' } },
    ]);
    expect(log.events()).toEqual([]);
  });

  it('is of no use where the archive does not lock it', async () => {
    const log = await (await scheduled()).week();
    expect(await log.export({ minRetentionDays: 10_000 })).toMatchObject({ status: 'refused' });
    expect(log.alerts).toMatchObject([{ detail: { reason: 'unlocked' } }]);
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

  it('tells a workspace that failed', async () => {
    const log = await (await scheduled()).week();
    log.tables.faults = async ({ name }) => (name === 'archive.read' ? 'before' : 'none');
    expect(await exported(log)).toMatchObject([{ workspaceId: 'ws_1', error: { code: 'unavailable' } }]);
  });
});

import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { listEvents } from '../../../core/audit/list-events.ts';
import { verifyRange } from '../../../core/audit/verify-range.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { readFloor } from '../../../core/retention/floor.ts';
import { retainDeployment, type WorkspaceRetained } from '../../../core/retention/retain-deployment.ts';
import { ArchivedLog, event, withFault } from '../../support/archived-log.ts';
import { callerWith } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

jest.setTimeout(60_000);

/** Day 1: rows 1 to 5 of lane 0, 1 and 2 of lane 1. Day 2: 6 and 7. Day 3: 8, and 3 of lane 1. All are archived. */
async function threeDays(): Promise<ArchivedLog> {
  const log = await new ArchivedLog().begin();
  await log.day(3, 2);
  await log.day(2);
  await log.day(1, 1);
  await log.run();
  return log;
}

/** To the moment when the first so many days are old enough, and no later. */
const age = (log: ArchivedLog, days: number, kept = 365) => log.goTo(log.start + (days + kept) * DAY_MS);
const floorOf = (log: ArchivedLog) => readFloor(log.parts.store, 'ws_1');
const hashOf = (log: ArchivedLog, lane: number, seq: number) =>
  log.tables.lane(log.lane(lane))[seq - 1]?.hash;

let log: ArchivedLog;
beforeEach(async () => {
  log = await threeDays();
});

describe('A7 rows that are archived and older than 365 days', () => {
  it('are deleted once their whole day is so old, and no sooner', async () => {
    age(log, 1);
    log.clock.advance(-1);
    expect(await log.retain()).toEqual({ status: 'current', deleted: 0 });
    expect(await floorOf(log)).toBeUndefined();
    log.clock.advance(1);
    expect(await log.retain()).toEqual({ status: 'current', deleted: 7 });
    expect([log.seqs(0), log.seqs(1)]).toEqual([[6, 7, 8, 9, 10], [3]]);
    expect(log.alerts).toEqual([]);
  });

  it('go after the floor was raised, with an event for each lane', async () => {
    const [hash0, hash1] = [hashOf(log, 0, 5), hashOf(log, 1, 2)];
    age(log, 1);
    log.calls.length = 0;
    await log.retain();
    expect(log.calls.indexOf('ledger.append')).toBeLessThan(log.calls.indexOf('remover.remove'));
    expect(await floorOf(log)).toMatchObject({
      revision: 1,
      day: '2026-01-01',
      lanes: { 0: { throughSeq: 5, hash: hash0 }, 1: { throughSeq: 2, hash: hash1 } },
    });
    const events = log.tables
      .lane(log.lane())
      .slice(-2)
      .map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()));
    expect(events).toMatchObject([
      { action: 'audit.floor_raised', detail: { lane: '0', throughSeq: '5', hash: hash0 }, changes: [] },
      {
        action: 'audit.floor_raised',
        actor: { type: 'system', id: 'retention' },
        detail: { lane: '1', throughSeq: '2', hash: hash1 },
        changes: [{ kind: 'retentionFloor', revision: 1 }],
      },
    ]);
  });

  it('are kept for longer where the workspace says so', async () => {
    const workspace = log.tables.entities.get('workspace#ws_1#ws_1');
    if (workspace === undefined) throw new Error('There is no workspace.');
    new Tamperer(log.tables).putEntity(
      { ...workspace.entity, auditRetentionDays: 400 } as never,
      workspace.row,
    );
    age(log, 1, 399);
    expect(await log.retain()).toMatchObject({ deleted: 0 });
    age(log, 1, 400);
    expect(await log.retain()).toMatchObject({ deleted: 7 });
  });

  it('stay while they are not archived', async () => {
    const young = await new ArchivedLog().begin();
    await young.day(3);
    age(young, 10);
    expect(await young.retain()).toEqual({ status: 'current', deleted: 0 });
    expect(young.seqs()).toEqual([1, 2, 3, 4, 5]);
  });

  it('go day by day; run again, nothing is left to do', async () => {
    age(log, 2);
    expect(await log.retain()).toMatchObject({ deleted: 9 });
    log.calls.length = 0;
    expect(await log.retain()).toEqual({ status: 'current', deleted: 0 });
    expect(log.calls.filter((name) => /append|remove/.test(name))).toEqual([]);
    expect(await floorOf(log)).toMatchObject({ revision: 2, day: '2026-01-02' });
  });

  it('stops between two days when the time is up, and goes on next time', async () => {
    age(log, 2);
    let asked = 0;
    expect(await log.retain(() => ++asked === 1)).toEqual({ status: 'interrupted', deleted: 7 });
    expect(await log.retain()).toEqual({ status: 'current', deleted: 2 });
  });
});

describe('what stays', () => {
  it('the last row of each lane, until others follow it', async () => {
    age(log, 3);
    await log.retain();
    expect([log.seqs(1), log.seqs(0).at(0)]).toEqual([[3], 8]);
    expect((await floorOf(log))?.lanes).toMatchObject({ 0: { throughSeq: 7 }, 1: { throughSeq: 2 } });
    // The events of the floor follow row 8, and a stranger's row follows 3.
    log.goTo(log.today + DAY_MS);
    await log.write(1, 1);
    log.clock.advance(DAY_MS);
    await log.seal();
    log.goTo(log.today + DAY_MS);
    log.clock.advance(4 * 60 * 60 * 1000);
    await log.run();
    log.clock.advance(366 * DAY_MS);
    await log.retain();
    expect(log.seqs(1)).toEqual([4]);
    expect(log.alerts).toEqual([]);
  });

  it('the last sealed row, with which the tree goes on', async () => {
    await log.write(1, 1);
    age(log, 3);
    await log.retain();
    expect([log.seqs(0).at(0), log.seqs(1).at(0)]).toEqual([8, 3]);
    expect(await log.seal()).toMatchObject({ status: 'sealed' });
  });

  it('an empty lane keeps what it starts with: its opening row goes, and it gets its first row before', async () => {
    const quiet = await new ArchivedLog().begin();
    await quiet.day(3);
    await quiet.run();
    const opening = hashOf(quiet, 0, 2);
    age(quiet, 1);
    await quiet.retain();
    expect(quiet.seqs(0).at(0)).toBe(5);
    expect(await floorOf(quiet)).toMatchObject({
      lanes: { 0: { throughSeq: 4 }, 1: { throughSeq: 0, hash: opening, ts: '' } },
    });
    expect(
      quiet.tables.lane(quiet.lane(1)).map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString())),
    ).toMatchObject([
      { prev: opening, action: 'audit.floor_raised', detail: { lane: '1', throughSeq: '0' } },
    ]);
    await quiet.write(0, 1);
    expect(quiet.seqs(1)).toEqual([1, 2]);
    expect(await verifyRange(quiet.parts, 'ws_1', {})).toMatchObject({ ok: true });
  });
});

describe('behind the floor', () => {
  beforeEach(async () => {
    age(log, 2);
    await log.retain();
    await log.seal();
  });

  it('lists, ranges of time and verification go on', async () => {
    const owner = callerWith({ workspaceId: 'ws_1', role: 'owner' });
    const listed = await listEvents(log.parts, owner, {}, { limit: 50 });
    expect(listed.items.map(({ stored: { lane, seq } }) => `${lane}-${seq}`).slice(-2)).toEqual([
      '1-3',
      '0-8',
    ]);
    const early = await listEvents(log.parts, owner, { to: log.start + 2 * DAY_MS }, { limit: 50 });
    expect(early).toEqual({ items: [] });
    expect(await verifyRange(log.parts, 'ws_1', {})).toMatchObject({ ok: true, breaks: [] });
    const third = { from: log.start + 2 * DAY_MS, to: log.start + 3 * DAY_MS };
    expect(await verifyRange(log.parts, 'ws_1', third)).toMatchObject({ ok: true, rows: 2 });
    expect(await verifyRange(log.parts, 'ws_1', { to: third.from })).toMatchObject({ ok: true, rows: 0 });
  });

  it('a row above it that is gone is still found', async () => {
    new Tamperer(log.tables).removeRow(log.lane(), 8);
    expect((await verifyRange(log.parts, 'ws_1', {})).breaks).toEqual([
      { lane: 0, seq: 8, reason: 'missing_row' },
    ]);
  });

  it('the archive goes on', async () => {
    log.goTo(log.today + DAY_MS + 4 * 60 * 60 * 1000);
    expect(await log.run()).toMatchObject({ status: 'current' });
    expect(log.alerts).toEqual([]);
  });

  it('the archive does not begin anew where somebody hid it', async () => {
    for (const key of log.archive.keys('archive/')) log.archive.hide(key);
    expect(await log.run()).toEqual({ status: 'refused', days: [] });
    expect(log.alerts).toMatchObject([{ kind: 'archive_conflict', detail: { reason: 'missing' } }]);
  });
});

describe('tampering keeps the rows', () => {
  const part = 'archive/ws_1/2026-01-01/0-0001.ndjson.gz';
  const refused = async (kind: string, subject: string, reason: string, days = 1) => {
    const before = [log.seqs(0), log.seqs(1)];
    age(log, days);
    expect(await log.retain()).toEqual({ status: 'refused', deleted: 0 });
    expect(log.alerts).toMatchObject([{ tier: 'critical', kind, subject, detail: { reason } }]);
    expect([log.seqs(0), log.seqs(1), await floorOf(log)]).toEqual([...before, undefined]);
  };

  it('of an archived part', async () => {
    const [version] = log.archive.versions.get(part) ?? [];
    if (version === undefined) throw new Error('There is no part.');
    log.archive.versions.set(part, [{ ...version, bytes: version.bytes.toReversed() }]);
    await refused('archive_conflict', part, 'altered');
  });

  it('of an archived part that is gone', async () => {
    log.archive.versions.delete(part);
    await refused('archive_conflict', part, 'missing');
  });

  it('of a manifest', async () => {
    log.archive.put('archive/ws_1/2026-01-01/manifest.json', Buffer.from('{}'));
    await refused('archive_conflict', 'archive/ws_1/2026-01-01/manifest.note', 'unsigned');
  });

  it('of the chain of manifests, its first day hidden', async () => {
    log.archive.hide('archive/ws_1/2026-01-01/manifest.note');
    await refused('archive_conflict', 'archive/ws_1/2026-01-02/manifest.json', 'unlinked', 2);
  });

  it('of a row', async () => {
    new Tamperer(log.tables).editBytes(log.lane(), 4, (text) => text.replace('"ip":"-"', '"ip":"1"'), false);
    await refused('audit_break', 'row 0-4', 'row_hash_mismatch');
  });

  it('of rows chained anew', async () => {
    new Tamperer(log.tables).rewriteFrom(log.lane(), 3, (row) => ({ ...row, ip: '1' }));
    await refused('audit_break', 'row 0-3', 'not_archived');
  });
});

describe('whichever call fails', () => {
  it.each(['before', 'after'] as const)('%s it took effect, the next run ends alike', async (fault) => {
    age(log, 2);
    await log.retain();
    const [expected, floor] = [[log.seqs(0), log.seqs(1)], (await floorOf(log))?.lanes];
    let number = 1;
    for (; ; number += 1) {
      const other = await threeDays();
      age(other, 2);
      if (!(await withFault(other, number, fault, () => other.retain()))) break;
      await other.retain();
      expect([other.seqs(0), other.seqs(1)]).toEqual(expected);
      expect((await floorOf(other))?.lanes).toEqual(floor);
      expect(other.alerts).toEqual([]);
    }
    expect(number).toBeGreaterThan(25);
  });
});

it('a crash after the floor was raised leaves rows below it, which the next run deletes first', async () => {
  age(log, 1);
  log.tables.faults = async ({ name }) => (name === 'remover.remove' ? 'before' : 'none');
  await expect(log.retain()).rejects.toMatchObject({ code: 'unavailable' });
  expect(log.seqs(0).at(0)).toBe(1);
  expect(await verifyRange(log.parts, 'ws_1', {})).toMatchObject({ ok: true });
  log.tables.faults = async () => 'none';
  expect(await log.retain()).toEqual({ status: 'current', deleted: 7 });
  expect(log.seqs(0).at(0)).toBe(6);
});

it('a workspace that fails keeps no other from its turn', async () => {
  age(log, 1);
  await log.commit(systemOrigin('_platform'), [event('workspace.registered')]);
  const results: WorkspaceRetained[] = [];
  log.tables.faults = async ({ name }) => (name === 'remover.remove' ? 'before' : 'none');
  for await (const result of retainDeployment(log.parts, () => true)) results.push(result);
  expect(results).toMatchObject([
    { workspaceId: '_platform', outcome: { status: 'current', deleted: 0 } },
    { workspaceId: 'ws_1', error: { code: 'unavailable' } },
  ]);
});

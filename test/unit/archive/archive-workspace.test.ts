import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { archiveWorkspace } from '../../../core/archive/archive-workspace.ts';
import { laneSetKind } from '../../../core/audit/lane-set.ts';
import { laneOpened, systemOrigin } from '../../../core/audit/lane-start.ts';
import { rowHash } from '../../../core/audit/row.ts';
import { canonicalJson } from '../../../core/kernel/canonical-json.ts';
import { create } from '../../../core/kernel/entity.ts';
import { openNote, verifierKey } from '../../../core/transparency/signed-note.ts';
import { ArchivedLog, event } from '../../support/archived-log.ts';

const HOUR = 60 * 60 * 1000;
const WRITES = /create|replace|append|put|remove/;

let log: ArchivedLog;
beforeEach(async () => {
  log = await new ArchivedLog().begin();
});

const object = (key: string) => {
  const found = log.archive.current(key);
  if (found === undefined) throw new Error(`There is no ${key}.`);
  return found;
};
const rowBytes = (lane: number, seq: number) =>
  Buffer.from(log.tables.lane(log.lane(lane))[seq - 1]?.bytes ?? []);

describe('A3 yesterday', () => {
  it('is archived: the exact row bytes, lane by lane, with a newline after each', async () => {
    await log.day(3, 2);
    expect(await log.run()).toEqual({ status: 'current', days: ['2026-01-01'] });
    const [part0, part1] = log.manifest('2026-01-01').parts;
    expect([part0?.key, part1?.key]).toEqual([
      'archive/ws_1/2026-01-01/0-0001.ndjson.gz',
      'archive/ws_1/2026-01-01/1-0001.ndjson.gz',
    ]);
    const newline = Buffer.from('\n');
    const lines = [1, 2, 3, 4, 5].flatMap((seq) => [rowBytes(0, seq), newline]);
    expect(gunzipSync(object(part0?.key ?? '').bytes)).toEqual(Buffer.concat(lines));
    const others = [1, 2].flatMap((seq) => [rowBytes(1, seq), newline]);
    expect(gunzipSync(object(part1?.key ?? '').bytes)).toEqual(Buffer.concat(others));
    expect(log.alerts).toEqual([]);
  });

  it('has a manifest that names rows, parts by their versions, and checkpoints', async () => {
    await log.day(3, 2);
    await log.run();
    const manifest = log.manifest('2026-01-01');
    expect(manifest.lanes).toEqual([
      expect.objectContaining({ lane: 0, first: 1, last: 5, lastHash: rowHash(rowBytes(0, 5)) }),
      expect.objectContaining({ lane: 1, first: 1, last: 2, firstPrev: rowHash(rowBytes(0, 2)) }),
    ]);
    for (const part of manifest.parts) expect(object(part.key).versionId).toBe(part.versionId);
    expect(manifest.checkpoints).toMatchObject([{ key: 'log/ws_1/seals/0000000000000007', size: 7 }]);
    expect(manifest.previous).toBe('0'.repeat(64));
    const { bytes } = object('archive/ws_1/2026-01-01/manifest.json');
    expect(Buffer.from(bytes).toString()).toBe(canonicalJson(manifest));
  });

  it('has a note over the manifest, signed under the name of the log', async () => {
    await log.day(1);
    await log.run();
    const digest = createHash('sha256')
      .update(object('archive/ws_1/2026-01-01/manifest.json').bytes)
      .digest('base64');
    const [key] = await log.parts.signer.publicKeys();
    const known = verifierKey('lockzero.test/ws_1', key?.publicKey ?? new Uint8Array());
    const note = Buffer.from(object('archive/ws_1/2026-01-01/manifest.note').bytes).toString();
    expect(openNote(note, [known]).text).toBe(`lockzero.test/ws_1/archive\n2026-01-01\n${digest}\n`);
  });

  it('is over one hour after midnight, and no sooner', async () => {
    await log.day(1);
    log.goTo(log.today + HOUR - 1);
    expect(await log.run()).toEqual({ status: 'current', days: [] });
    log.clock.advance(1);
    expect(await log.run()).toEqual({ status: 'current', days: ['2026-01-01'] });
  });

  it('is split into parts that hold at most so many bytes', async () => {
    await log.day(7);
    const size = rowBytes(0, 3).length + 1;
    await log.run({ maxPartBytes: 3 * size });
    const { parts, lanes } = log.manifest('2026-01-01');
    expect(parts.map(({ first, last }) => [first, last])).toEqual([
      [1, 2],
      [3, 5],
      [6, 8],
      [9, 9],
    ]);
    expect(parts.every(({ bytes }) => bytes <= 3 * size)).toBe(true);
    expect(parts.map(({ key }) => key.slice(-18))).toEqual([
      '1/0-0001.ndjson.gz',
      '1/0-0002.ndjson.gz',
      '1/0-0003.ndjson.gz',
      '1/0-0004.ndjson.gz',
    ]);
    expect(lanes).toMatchObject([{ first: 1, last: 9 }]);
  });
});

describe('run after run', () => {
  it('the same day again: nothing but reads', async () => {
    await log.day(2, 1);
    await log.run();
    const before = log.objects();
    log.calls.length = 0;
    expect(await log.run()).toEqual({ status: 'current', days: [] });
    expect(log.calls.filter((name) => WRITES.test(name))).toEqual([]);
    expect(log.calls.length).toBeGreaterThan(0);
    expect(log.objects()).toEqual(before);
  });

  it('missed days are caught up, oldest first, empty ones too, each linked to the one before', async () => {
    await log.day(2, 1);
    await log.day(0);
    await log.day(3);
    expect(await log.run()).toEqual({ status: 'current', days: ['2026-01-01', '2026-01-02', '2026-01-03'] });
    const digest = (day: string) =>
      createHash('sha256')
        .update(object(`archive/ws_1/${day}/manifest.json`).bytes)
        .digest('hex');
    expect(log.manifest('2026-01-02')).toMatchObject({
      previous: digest('2026-01-01'),
      lanes: [],
      parts: [],
      checkpoints: [],
    });
    expect(log.manifest('2026-01-03')).toMatchObject({
      previous: digest('2026-01-02'),
      lanes: [{ lane: 0, first: 5, last: 7 }],
    });
  });

  it('three missed days are as if each had been archived in time', async () => {
    const inTime = await new ArchivedLog().begin();
    for (const history of [inTime, log]) {
      for (const [rows, strangers] of [
        [2, 1],
        [0, 0],
        [3, 2],
      ] as const) {
        await history.day(rows, strangers);
        if (history === inTime) await history.run();
      }
    }
    await log.run();
    const contents = (history: ArchivedLog) =>
      ['2026-01-01', '2026-01-02', '2026-01-03'].map((day) => {
        const { previous, parts, checkpoints, ...rest } = history.manifest(day);
        return {
          ...rest,
          parts: parts.map(({ versionId, ...part }) => part),
          sizes: checkpoints.map(({ size }) => size),
        };
      });
    expect(contents(log)).toEqual(contents(inTime));
  });

  it('a quiet lane goes on where it was left, however long ago', async () => {
    await log.day(1, 2);
    for (let day = 0; day < 4; day += 1) await log.day(1);
    await log.run();
    await log.day(0, 3);
    log.calls.length = 0;
    await log.run();
    expect(log.manifest('2026-01-06').lanes).toMatchObject([
      { lane: 1, first: 3, last: 5, firstPrev: log.manifest('2026-01-01').lanes[1]?.lastHash },
    ]);
  });

  it('a row that came too late for its day goes with a later one', async () => {
    await log.day(1, 1);
    await log.run();
    log.goTo(log.start + 23 * HOUR);
    await log.write(0, 1);
    log.goTo(log.start + 26 * HOUR);
    await log.day(1);
    await log.day(0);
    await log.run();
    expect(log.manifest('2026-01-02').lanes).toMatchObject([
      { lane: 0, first: 4, last: 4 },
      { lane: 1, first: 2, last: 2 },
    ]);
    await log.day(0, 1);
    await log.run();
    expect(log.manifest('2026-01-04').lanes).toMatchObject([{ lane: 1, first: 3, last: 3 }]);
  });

  it('each checkpoint is named once, by the first day that needs it or a smaller one', async () => {
    await log.write(2);
    await log.seal();
    await log.write(1);
    await log.seal();
    // The rows before midnight are sealed after it, together with one of the new day.
    log.goTo(log.start + 23 * HOUR);
    await log.write(1);
    log.goTo(log.start + 25 * HOUR);
    await log.write(1);
    await log.seal();
    await log.write(1);
    await log.seal();
    log.goTo(log.start + 52 * HOUR);
    await log.run();
    const sizes = (day: string) => log.manifest(day).checkpoints.map(({ size }) => size);
    expect([sizes('2026-01-01'), sizes('2026-01-02')]).toEqual([[4, 5, 7], [8]]);
  });

  it('a workspace without rows has nothing to archive', async () => {
    const empty = new ArchivedLog();
    empty.clock.advance(48 * HOUR);
    expect(await empty.run()).toEqual({ status: 'current', days: [] });
    expect(empty.objects()).toEqual([]);
  });

  it('stops between two days when the time is up, and goes on next time', async () => {
    await log.day(1);
    await log.day(1);
    let asked = 0;
    const once = () => ++asked === 1;
    expect(await archiveWorkspace(log.parts, 'ws_1', once)).toEqual({
      status: 'interrupted',
      days: ['2026-01-01'],
    });
    expect(await log.run()).toEqual({ status: 'current', days: ['2026-01-02'] });
  });
});

describe('a day whose rows are not all sealed', () => {
  beforeEach(async () => {
    await log.day(1);
    log.goTo(log.start + 23 * HOUR);
    await log.write(1);
  });

  it('waits, and nothing is written', async () => {
    log.goTo(log.start + 29 * HOUR);
    log.calls.length = 0;
    expect(await log.run()).toEqual({ status: 'waiting', days: [] });
    expect([log.objects(), log.alerts]).toEqual([[], []]);
    await log.seal();
    expect(await log.run()).toMatchObject({ status: 'current', days: ['2026-01-01'] });
  });

  it('is warned of once it has waited for six hours', async () => {
    log.goTo(log.start + 30 * HOUR);
    expect(await log.run()).toMatchObject({ status: 'waiting' });
    expect(log.alerts).toMatchObject([{ tier: 'warning', kind: 'job_failed', workspaceId: 'ws_1' }]);
  });

  it('waits, too, while its seal is not published', async () => {
    log.goTo(log.start + 29 * HOUR);
    const published = object('log/ws_1/checkpoint');
    await log.seal();
    log.archive.versions.set('log/ws_1/checkpoint', [published]);
    expect(await log.run()).toEqual({ status: 'waiting', days: [] });
    expect(log.objects()).toEqual([]);
  });
});

it('rows of extra lanes are archived, too, though somebody removed the set of lanes', async () => {
  const set = create(laneSetKind, { workspaceId: 'ws_1', id: 'ws_1', count: 1 });
  await log.commit(systemOrigin('ws_1'), [{ ...laneOpened('ws_1', 2), changes: [set] }]);
  await log.commit({ ...systemOrigin('ws_1'), lane: 2 }, [event('secret.read'), event('secret.read')]);
  await log.day(1);
  for (const key of [...log.tables.entities.keys()])
    if (key.startsWith('laneSet')) log.tables.entities.delete(key);
  await log.run();
  expect(log.manifest('2026-01-01').lanes).toMatchObject([
    { lane: 0, last: 4 },
    { lane: 2, first: 1, last: 2 },
  ]);
});

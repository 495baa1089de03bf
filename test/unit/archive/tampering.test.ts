import { gunzipSync, gzipSync } from 'node:zlib';
import { archiveDeployment, type WorkspaceArchived } from '../../../core/archive/archive-deployment.ts';
import { archivedRows } from '../../../core/archive/archived-rows.ts';
import { decodeManifest, encodeManifest, type Manifest } from '../../../core/archive/manifest.ts';
import { readManifests } from '../../../core/archive/read-manifests.ts';
import { gzip } from '../../../core/archive/write-part.ts';
import { ArchivedLog } from '../../support/archived-log.ts';
import { Tamperer } from '../../support/tamper.ts';

const PART = 'archive/ws_1/2026-01-01/0-0001.ndjson.gz';
const MANIFEST = 'archive/ws_1/2026-01-01/manifest.json';
const NOTE = 'archive/ws_1/2026-01-01/manifest.note';

let log: ArchivedLog;
let tamperer: Tamperer;
beforeEach(async () => {
  log = await new ArchivedLog().begin();
  await log.day(4, 1);
  tamperer = new Tamperer(log.tables);
});

const current = (key: string): Uint8Array => {
  const object = log.archive.current(key);
  if (object === undefined) throw new Error(`There is no ${key}.`);
  return object.bytes;
};
const refused = async (kind: string, subject: string, reason: string) => {
  expect(await log.run()).toMatchObject({ status: 'refused' });
  expect(log.alerts).toMatchObject([
    { tier: 'critical', kind, workspaceId: 'ws_1', subject, detail: { reason } },
  ]);
};

describe('a name that was taken beforehand', () => {
  /** What an honest run would write. */
  async function honest(key: string): Promise<Uint8Array> {
    const other = await new ArchivedLog().begin();
    await other.day(4, 1);
    await other.run();
    const object = other.archive.current(key);
    if (object === undefined) throw new Error(`There is no ${key}.`);
    return object.bytes;
  }

  it('by a part with the same rows is taken over, however it was compressed', async () => {
    const planted = log.archive.put(PART, gzipSync(gunzipSync(await honest(PART)), { level: 1 }));
    expect(await log.run()).toMatchObject({ status: 'current' });
    expect(log.manifest('2026-01-01').parts[0]?.versionId).toBe(planted.versionId);
  });

  it.each([
    ['other rows', async () => gzip(Buffer.from('{"other":"row"}\n'))],
    [
      'one row less',
      async () => {
        const text = gunzipSync(await honest(PART)).toString();
        return gzip(Buffer.from(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)));
      },
    ],
    [
      'no newline at the end',
      async () => {
        return gzip(gunzipSync(await honest(PART)).subarray(0, -1));
      },
    ],
    ['a line without end', async () => gzip(Buffer.alloc(5_000_000, 0x61))],
    ['what is no gzip', async () => Buffer.from('not compressed')],
    ['half a gzip', async () => (await honest(PART)).subarray(0, 200)],
  ])('by a part with %s: a critical alert, and the day is not archived', async (_, bytes) => {
    log.archive.put(PART, await bytes());
    await refused('archive_conflict', PART, 'taken');
    expect(log.archive.current(MANIFEST)).toBeUndefined();
  });

  it('is free again behind a delete marker', async () => {
    log.archive.put(PART, Buffer.from('planted'));
    log.archive.hide(PART);
    expect(await log.run()).toMatchObject({ status: 'current', days: ['2026-01-01'] });
  });

  it('by another manifest', async () => {
    log.archive.put(MANIFEST, Buffer.from('{}'));
    await refused('archive_conflict', MANIFEST, 'taken');
  });

  it('by a note that our key did not sign', async () => {
    log.archive.put(NOTE, Buffer.from('a\n\n— a b\n'));
    await refused('archive_conflict', NOTE, 'taken');
  });

  it('on a later day does not keep the days before from being archived', async () => {
    log.archive.put('archive/ws_1/2026-01-02/manifest.json', Buffer.from('{}'));
    log.archive.put('archive/ws_1/2026-01-02/manifest.note', Buffer.from('x'));
    await log.day(1);
    expect(await log.run()).toEqual({ status: 'refused', days: ['2026-01-01'] });
  });
});

describe('the lock', () => {
  it.each([
    ['is missing', undefined],
    ['is too short', { mode: 'COMPLIANCE', days: 2_556 } as const],
  ])('%s: the day is not archived', async (_, retention) => {
    log.archive.retention = retention;
    await refused('archive_conflict', PART, 'unlocked');
    expect(log.archive.current(MANIFEST)).toBeUndefined();
  });
});

describe('the rows of the day', () => {
  it('an edit is found, and nothing of that lane is archived', async () => {
    tamperer.editBytes(log.lane(), 4, (text) => text.replace('secret.revealed', 'secret.listed00'), false);
    await refused('audit_break', 'row 0-4', 'row_hash_mismatch');
    expect(log.objects()).toEqual([]);
  });

  it('a removed row is found', async () => {
    tamperer.removeRow(log.lane(), 4);
    await refused('audit_break', 'row 0-4', 'row_missing_row');
  });

  it('rows that were all chained anew are found by the tree that was signed', async () => {
    tamperer.rewriteFrom(log.lane(), 3, (row) => ({ ...row, action: 'secret.listed' }));
    await refused('log_forked', 'row 0-6', 'not_sealed');
    expect(log.objects()).toEqual([]);
  });

  it('and so is what was chained anew after the newest archived row', async () => {
    await log.run();
    await log.day(3);
    tamperer.rewriteFrom(log.lane(), 8, (row) => ({ ...row, action: 'secret.listed' }));
    await refused('log_forked', 'row 0-9', 'not_sealed');
  });

  it('a key that is none of a row, planted among them, changes nothing', async () => {
    const planted = { ...tamperer.row(log.lane(), 3), seq: 0 };
    log.tables.rows.set('planted', planted);
    expect(await log.run()).toMatchObject({ status: 'current' });
  });
});

describe('the published log', () => {
  it('a checkpoint that is not signed is found', async () => {
    log.archive.put('log/ws_1/checkpoint', Buffer.from('a\n\n— a b\n'));
    await refused('archive_conflict', 'log/ws_1/checkpoint', 'unsigned');
  });

  it('a planted seal is found', async () => {
    const seal = 'log/ws_1/seals/0000000000000003';
    log.archive.put(seal, current('log/ws_1/checkpoint'));
    await refused('archive_conflict', seal, 'unsigned');
  });

  it('a hidden seal is found', async () => {
    log.archive.hide('log/ws_1/seals/0000000000000007');
    await refused('archive_conflict', 'log/ws_1/seals/0000000000000007', 'missing');
  });
});

describe('the manifests', () => {
  const readAll = async () => {
    const days: string[] = [];
    for await (const { manifest } of readManifests(log.parts, 'ws_1')) days.push(manifest.day);
    return days;
  };
  beforeEach(async () => {
    await log.day(1);
    await log.day(1);
    await log.run();
  });

  it('are read in order, from a day to another', async () => {
    expect(await readAll()).toEqual(['2026-01-01', '2026-01-02', '2026-01-03']);
    const some = [];
    for await (const { manifest } of readManifests(log.parts, 'ws_1', {
      from: '2026-01-02',
      to: '2026-01-02',
    }))
      some.push(manifest.day);
    expect(some).toEqual(['2026-01-02']);
  });

  it.each([
    ['a day is hidden', () => log.archive.hide('archive/ws_1/2026-01-02/manifest.note'), 'unlinked'],
    ['a manifest is hidden', () => log.archive.hide('archive/ws_1/2026-01-02/manifest.json'), 'missing'],
    [
      'one is replaced',
      () => void log.archive.put('archive/ws_1/2026-01-02/manifest.json', current(MANIFEST)),
      'unsigned',
    ],
    [
      'one is replaced with its note',
      () => {
        log.archive.put('archive/ws_1/2026-01-02/manifest.json', current(MANIFEST));
        log.archive.put('archive/ws_1/2026-01-02/manifest.note', current(NOTE));
      },
      'unsigned',
    ],
  ])('%s: reading them fails', async (_, tamper, reason) => {
    tamper();
    await expect(readAll()).rejects.toMatchObject({ kind: 'archive_conflict', reason });
  });

  it('the newest one hidden: its day is archived once more, the same', async () => {
    const before = current('archive/ws_1/2026-01-03/manifest.json');
    log.archive.hide('archive/ws_1/2026-01-03/manifest.note');
    log.archive.hide('archive/ws_1/2026-01-03/manifest.json');
    expect(await log.run()).toEqual({ status: 'current', days: ['2026-01-03'] });
    expect(current('archive/ws_1/2026-01-03/manifest.json')).toEqual(before);
  });

  it.each<[string, (manifest: Manifest) => object]>([
    ['a part of other rows', (m) => ({ parts: m.parts.map((part) => ({ ...part, last: part.last + 1 })) })],
    ['a part that is not there', (m) => ({ parts: m.parts.slice(1) })],
    ['a part too many', (m) => ({ lanes: m.lanes.slice(1) })],
    ['a part under another name', (m) => ({ parts: m.parts.map((part) => ({ ...part, key: NOTE })) })],
    ['lanes out of order', (m) => ({ lanes: m.lanes.toReversed(), parts: m.parts.toReversed() })],
    ['another version', () => ({ v: 2 })],
    ['one more member', () => ({ more: 1 })],
    ['a day that is none', () => ({ day: '2026-02-30' })],
  ])('with %s is none', (_, patch) => {
    const manifest = log.manifest('2026-01-01');
    expect(decodeManifest(encodeManifest(manifest))).toEqual(manifest);
    expect(decodeManifest(encodeManifest({ ...manifest, ...patch(manifest) }))).toBeUndefined();
  });

  it('in another form is none', () => {
    const text = Buffer.from(current(MANIFEST)).toString();
    expect(decodeManifest(Buffer.from(text.replace('{', '{ ')))).toBeUndefined();
    expect(decodeManifest(Buffer.from([0xff]))).toBeUndefined();
  });
});

describe('reading a part back', () => {
  const read = async () => {
    const [part] = log.manifest('2026-01-01').parts;
    if (part === undefined) throw new Error('There is no part.');
    const rows: Buffer[] = [];
    for await (const row of archivedRows(log.archive, part)) rows.push(Buffer.from(row));
    return rows;
  };
  beforeEach(() => log.run());

  it('gives the rows, to the byte', async () => {
    expect(await read()).toEqual(log.tables.lane(log.lane()).map(({ bytes }) => Buffer.from(bytes)));
  });

  it('reads the version that the manifest names, whatever was put over it', async () => {
    log.archive.put(PART, Buffer.from('planted'));
    expect((await read()).length).toBe(6);
  });

  it('fails when the version is gone, or other', async () => {
    const [version] = log.archive.versions.get(PART) ?? [];
    if (version === undefined) throw new Error('There is no part.');
    log.archive.versions.set(PART, [{ ...version, bytes: gzip(Buffer.from('{}\n')) }]);
    await expect(read()).rejects.toMatchObject({ reason: 'altered' });
    log.archive.versions.delete(PART);
    await expect(read()).rejects.toMatchObject({ reason: 'missing' });
  });
});

it('gzip has no time and no operating system in its header', () => {
  expect(gzip(Buffer.from('a')).subarray(0, 10)).toEqual(
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]),
  );
});

it('a workspace that fails keeps no other from its turn', async () => {
  const results: WorkspaceArchived[] = [];
  log.tables.faults = async ({ name }) => (name === 'seals.segmentOf' ? 'before' : 'none');
  for await (const result of archiveDeployment(log.parts, () => true)) results.push(result);
  expect(results).toMatchObject([
    { workspaceId: '_platform', outcome: { status: 'current', days: [] } },
    { workspaceId: 'ws_1', error: { code: 'unavailable' } },
  ]);
});

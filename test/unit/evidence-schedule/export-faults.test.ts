import { zipSync } from 'fflate';
import { manifestKey, noteKey } from '../../../core/archive/manifest.ts';
import { withFault } from '../../support/archived-log.ts';
import { MemorySigner } from '../../support/memory-signer.ts';
import { KEY, type ScheduledLog, scheduled } from './scheduled-log.ts';

/** Each fault has a history of its own. */
const TIME_LIMIT_MS = 30_000;

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

  it('before a new signing key takes over leaves a bundle that the next one takes over all the same', async () => {
    const log = await sunday();
    log.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    await expect(log.export()).rejects.toMatchObject({ code: 'unavailable' });
    log.tables.faults = async () => 'none';
    const written = log.evidence();
    const keys = [
      ...(await new MemorySigner(Buffer.alloc(32, 1)).publicKeys()),
      ...(await log.signingKeys()),
    ];
    const signer = { publicKeys: async () => keys };
    expect(await log.export({ log: { ...log.exporting.log, signer } })).toEqual({
      status: 'current',
      bundles: 1,
    });
    expect(log.evidence()).toEqual(written);
    expect(log.alerts).toEqual([]);
  });

  it('while another one does the same: neither writes anything twice', async () => {
    const log = await sunday();
    await Promise.all([log.export({ partLimits }), log.export({ partLimits })]);
    const keys = log.evidence().map(([key]) => key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(log.events().map(({ key }) => key)).toEqual(keys);
  });
});

describe('somebody who wants rows left out', () => {
  const refusal = async (log: ScheduledLog) => {
    const outcome = await log.export();
    return {
      outcome,
      told: log.alerts.map(({ kind, subject, detail }) => [kind, subject, detail['reason']]),
    };
  };
  const REFUSED = { status: 'refused', bundles: 0 };

  it.each([1, 3])('and hides the manifests of the first %i days is told', async (hidden) => {
    const log = await (await scheduled()).week();
    for (let day = 1; day <= hidden; day += 1) {
      for (const key of [manifestKey, noteKey])
        log.archive.versions.get(key(log.workspaceId, `2026-01-0${day}`))?.push(undefined);
    }
    expect(await refusal(log)).toEqual({
      outcome: REFUSED,
      told: [['archive_conflict', `archive/ws_1/2026-01-0${hidden + 1}/manifest.json`, 'unlinked']],
    });
    expect(log.evidence()).toEqual([]);
  });

  it('and lets the sealer forget a lane gets the bundle with all its rows', async () => {
    const twin = await (await scheduled()).week();
    await twin.export();
    const log = await (await scheduled()).week();
    const state = log.seals.states.get(log.workspaceId);
    if (state === undefined) throw new Error('Nothing is sealed.');
    log.seals.states.set(log.workspaceId, { ...state, lanes: {} });
    expect(await log.export()).toEqual({ status: 'current', bundles: 1 });
    expect(log.evidence()).toEqual(twin.evidence());
  });

  it.each([
    ['forgets where its first row stands', (): undefined => undefined],
    ['has its first row stand elsewhere', (firstLeaf: number) => firstLeaf + 3],
  ])('and %s is told', async (_, moved) => {
    const log = await (await scheduled()).week();
    const lane = log.seals.leaves.get(`${log.workspaceId}#0`);
    for (const [key, segment] of lane ?? []) {
      const firstLeaf = moved(segment.firstLeaf);
      if (firstLeaf === undefined) lane?.delete(key);
      else lane?.set(key, { ...segment, firstLeaf });
    }
    expect(await refusal(log)).toEqual({
      outcome: REFUSED,
      told: [['log_forked', 'row 0-1', 'not_sealed']],
    });
    expect(log.evidence()).toEqual([]);
  });

  it.each<[string, (seal: Buffer, newest: Buffer) => Buffer | undefined, string]>([
    ['hides', () => undefined, 'missing'],
    ['signs with another key', replacing('lockzero.test', 'lockzero.evil'), 'unsigned'],
    ['puts a later one of ours in place of', (_, newest) => newest, 'altered'],
  ])('and %s the checkpoint that a manifest names is told', async (_, edit, reason) => {
    const log = await (await scheduled()).week();
    await log.day(1);
    await log.run();
    const { checkpoints } = log.manifest('2026-01-04');
    const key = checkpoints.at(-1)?.key ?? '';
    const seal = Buffer.from(log.archive.current(key)?.bytes ?? []);
    const newest = Buffer.from(log.archive.current('log/ws_1/checkpoint')?.bytes ?? []);
    const edited = edit(seal, newest);
    if (edited === undefined) log.archive.versions.get(key)?.push(undefined);
    else log.archive.put(key, edited);
    expect(await refusal(log)).toEqual({ outcome: REFUSED, told: [['archive_conflict', key, reason]] });
    expect(log.evidence()).toEqual([]);
  });

  it.each([
    ['other rows', replacing('curl', 'wget'), 'log_forked', /^log\/ws_1\/seals\/\d+$/, 'not_sealed'],
    ['what is no row', () => Buffer.from('?'), 'archive_conflict', /^log\/ws_1\/tile\/$/, 'altered'],
  ])(
    'and writes %s over those in the sealed log is told, and none of that is kept',
    async (_, edit, kind, subject, reason) => {
      const log = await (await scheduled()).week();
      for (const [key, versions] of [...log.archive.versions]) {
        const bytes = versions.at(-1)?.bytes;
        if (key.startsWith('log/ws_1/tile/entries/') && bytes !== undefined)
          log.archive.put(key, edit(Buffer.from(bytes)));
      }
      expect(await refusal(log)).toEqual({
        outcome: REFUSED,
        told: [[kind, expect.stringMatching(subject), reason]],
      });
      expect(log.evidence()).toEqual([]);
    },
  );
});

/** Texts of the same length, so that what is around them stays readable. */
function replacing(from: string, to: string) {
  return (bytes: Buffer): Buffer => Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}

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

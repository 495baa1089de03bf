import { alertRecordKind } from '../../../core/alerts/alert-record.ts';
import { detectionSettingsKind } from '../../../core/anomaly/settings.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { create, update } from '../../../core/kernel/entity.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { AnomalyWorld, KEY, OTHER_KEY, WORKSPACE } from '../../support/anomaly-world.ts';

let world: AnomalyWorld;
beforeEach(() => {
  world = new AnomalyWorld();
});

const remarkable = (subject: string) => ({ detail: { remarkable: subject } });
/** How often the alerts about something were recorded. */
const countsOf = (subject: string): number[] =>
  [...world.tables.entities.values()].flatMap(({ entity }) => {
    const alert = alertRecordKind.schema.safeParse(entity).data;
    return alert?.subject === subject ? [alert.count] : [];
  });

/** The names of the ports' calls while something is done. */
async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  const calls: string[] = [];
  world.tables.faults = async ({ name }) => {
    calls.push(name);
    return 'none';
  };
  await work();
  world.tables.faults = async () => 'none';
  return calls;
}

describe('the rows of a workspace', () => {
  it('are shown to the detectors once each, in the order of time, over any number of runs', async () => {
    await world.happen();
    await world.knock();
    await world.happen(OTHER_KEY);
    await world.happen();
    const newest = world.clock.now();
    // One of the three is the vault's own: it opened the lane of strangers.
    expect(await world.detect(4)).toMatchObject({ status: 'worked', rows: 3, waitingSince: newest });
    await world.knock();
    expect(await world.detect()).toMatchObject({ status: 'worked', rows: 2 });
    expect(await world.detect()).toMatchObject({ status: 'idle', rows: 0 });
    expect(world.seen()).toEqual(['0-1', '1-1', '0-3', '0-4', '1-2']);
    expect(world.seen(KEY)).toEqual(['0-1', '0-4']);
    expect(world.seen(OTHER_KEY)).toEqual(['0-3']);
  });

  it('cost four reads and no write where nothing is new', async () => {
    await world.knock();
    await world.detect();
    expect(await callsOf(() => world.detect())).toEqual([
      'anomalies.read',
      'ledger.extraLanes',
      'ledger.rows',
      'ledger.rows',
    ]);
  });

  it('are passed unseen where the vault itself is at work, or an alert was raised', async () => {
    await world.happen(KEY, remarkable('first'));
    const entity = { type: 'secret', id: 'sec_1' };
    await world.trail.commit(systemOrigin(WORKSPACE), [
      { action: 'secret.purged', entity, result: 'success' },
    ]);
    await world.happen(KEY, { action: 'alert.listed' });
    await world.detect();
    await world.detect();
    expect(world.seen()).toEqual(['0-1']);
    expect((await world.detect()).status).toBe('idle');
  });

  it('of those without credentials are only for what is known of the workspace', async () => {
    await world.knock();
    await world.detect();
    expect(world.seen()).toEqual(['1-1']);
    expect([...world.states.actors]).toEqual([]);
  });

  it.each([
    [KEY, 1_100],
    [{ type: 'user', id: 'ada' } as const, 400],
  ])('are remembered after an actor was last seen: %j for %d days', async (actor, days) => {
    await world.happen(actor);
    await world.detect();
    const [profile] = world.states.actors.values();
    expect(profile?.expiresAt).toBe(world.clock.now() + days * DAY_MS);
  });
});

describe('the first run', () => {
  it('learns from eight weeks, and raises what is at most a day old', async () => {
    await world.happen(KEY, remarkable('too old to be looked at'));
    world.clock.advance(DAY_MS);
    await world.happen(KEY, remarkable('old'));
    world.clock.advance(55 * DAY_MS);
    await world.happen(KEY, remarkable('new'));
    await world.detect();
    expect(world.seen()).toEqual(['0-2', '0-3']);
    expect(world.recorded.map(({ subject }) => subject)).toEqual(['new', 'new']);
  });

  it('is the first one only: what happened while the job was down for a week is raised', async () => {
    await world.detect();
    await world.happen(KEY, remarkable('new'));
    world.clock.advance(7 * DAY_MS);
    await world.detect();
    expect(world.recorded.map(({ subject }) => subject)).toEqual(['new', 'new']);
  });

  it('of an empty workspace leaves a mark, and later ones do not look for its beginning again', async () => {
    expect((await world.detect()).status).toBe('worked');
    expect((await world.detect()).status).toBe('idle');
  });
});

describe('an alert', () => {
  it('names its workspace and what it was raised for', async () => {
    await world.happen(KEY, remarkable('this'));
    expect(await world.detect()).toMatchObject({ alerts: 2 });
    expect(world.recorded).toMatchObject([
      {
        workspaceId: WORKSPACE,
        kind: 'brute_force',
        subject: 'this',
        occurrence: '0-1 overall',
        rows: ['0-1'],
      },
      { workspaceId: WORKSPACE, kind: 'volume_anomaly', subject: 'this', occurrence: '0-1 perActor' },
    ]);
  });

  it('that cannot be recorded keeps the cursor where it is', async () => {
    await world.happen(KEY, remarkable('this'));
    world.tables.faults = async ({ name }) => (name === 'ledger.append' ? 'before' : 'none');
    expect(await world.detect()).toMatchObject({
      status: 'failed',
      alerts: 0,
      error: { code: 'unavailable' },
    });
    expect(world.seen(KEY)).toEqual([]);
    world.tables.faults = async () => 'none';
    await world.happen();
    await world.detect();
    await world.detect();
    expect(countsOf('this')).toEqual([1, 1]);
    expect(world.seen(KEY)).toEqual(['0-1', '0-2']);
  });

  it('is not lost and not counted twice when the run dies behind it', async () => {
    await world.happen(KEY, remarkable('this'));
    world.tables.faults = async ({ name }) => (name === 'anomalies.replaceActor' ? 'after' : 'none');
    expect((await world.detect()).status).toBe('failed');
    world.tables.faults = async () => 'none';
    await world.detect();
    expect(world.recorded.map(({ kind }) => kind)).toEqual(['brute_force', 'volume_anomaly', 'brute_force']);
    expect(countsOf('this')).toEqual([1, 1]);
    expect(world.seen(KEY)).toEqual(['0-1']);
  });
});

describe('a run that dies', () => {
  it('leaves a batch that is repeated as it was, whatever has come since', async () => {
    await world.happen();
    world.tables.faults = async ({ name }) => {
      if (name !== 'anomalies.readActors') return 'none';
      return new Promise(() => {});
    };
    void world.detect();
    await new Promise((resolve) => setImmediate(resolve));
    world.tables.faults = async () => 'none';
    await world.happen();
    expect((await world.detect()).status).toBe('busy');
    world.clock.advance(5 * 60_000);
    expect(await world.detect()).toMatchObject({ status: 'worked', rows: 1 });
    expect(await world.detect()).toMatchObject({ status: 'worked', rows: 1 });
    expect(world.seen()).toEqual(['0-1', '0-2']);
  });

  it('at once with another one counts nothing twice', async () => {
    for (let row = 0; row < 5; row += 1) await world.happen(KEY, remarkable('this'));
    const detected = await Promise.all([world.detect(), world.detect(), world.detect()]);
    expect(detected.map(({ status }) => status).toSorted()).toEqual(['busy', 'busy', 'worked']);
    expect(world.seen(KEY)).toHaveLength(5);
  });

  it('three times in a row tells so, and tells it again after three more', async () => {
    await world.happen();
    world.tables.faults = async ({ name }) => (name === 'anomalies.readActors' ? 'before' : 'none');
    for (let run = 0; run < 6; run += 1) await world.detect();
    expect(world.told).toMatchObject([
      { tier: 'critical', kind: 'job_failed', detail: { failures: '3' } },
      { tier: 'critical', kind: 'job_failed', detail: { failures: '6' } },
    ]);
  });
});

describe('settings', () => {
  /** As the API changes them. */
  async function tune(detectors: {
    readonly [name: string]: { readonly [field: string]: boolean | number };
  }) {
    world.clock.advance(1_000);
    const stored = await world.tables.store.get(detectionSettingsKind, WORKSPACE, WORKSPACE);
    const change =
      stored === undefined
        ? create(detectionSettingsKind, { workspaceId: WORKSPACE, id: WORKSPACE, detectors })
        : update(detectionSettingsKind, stored, { detectors });
    const entity = { type: 'workspace', id: WORKSPACE };
    const origin = { workspaceId: WORKSPACE, lane: 0, actor: KEY, ip: '-', userAgent: '' };
    await world.trail.commit(origin, [
      { action: 'detection.updated', entity, result: 'success', changes: [change] },
    ]);
  }
  const subjects = () => world.recorded.map(({ kind, subject }) => `${kind}: ${subject}`);
  async function detectAll(): Promise<void> {
    while ((await world.detect()).status === 'worked');
  }

  it('judge what happens after them: turning detectors off hides nothing afterwards', async () => {
    await world.detect();
    await world.happen(KEY, remarkable('before'));
    await tune({ overall: { enabled: false }, perActor: { enabled: false } });
    await world.happen(KEY, remarkable('after'));
    await detectAll();
    expect(subjects()).toEqual(['brute_force: before', 'volume_anomaly: before']);
  });

  it('that turn a detector off let it go on learning', async () => {
    await tune({ overall: { enabled: false } });
    await world.happen(KEY, remarkable('this'));
    await detectAll();
    expect(world.seen()).toEqual(['0-1', '0-2']);
    expect(subjects()).toEqual(['volume_anomaly: this']);
  });

  it('tune thresholds, and are read once', async () => {
    await world.detect();
    await tune({ overall: { step: 3 } });
    for (let row = 0; row < 6; row += 1) await world.happen();
    const calls = await callsOf(detectAll);
    expect(subjects()).toEqual(['brute_force: 3 rows', 'brute_force: 6 rows']);
    expect(calls.filter((name) => name === 'store.get')).toHaveLength(3);
  });

  it('that change again before anybody looked hide nothing of what came in between', async () => {
    await world.detect();
    await tune({ overall: { step: 999 } });
    await world.happen(KEY, remarkable('in between'));
    await tune({ overall: { enabled: false }, perActor: { enabled: false } });
    await world.happen(KEY, remarkable('after'));
    await detectAll();
    expect(subjects()).toEqual(['brute_force: in between', 'volume_anomaly: in between']);
  });

  it('that change very often are looked at once', async () => {
    await world.detect();
    for (let step = 2; step < 60; step += 1) await tune({ overall: { step } });
    const calls = await callsOf(detectAll);
    expect(calls.filter((name) => name === 'anomalies.replace').length).toBeLessThan(6);
    expect(subjects()).toEqual([]);
  });

  it('that somebody spoiled in the table count for nothing and stop nobody', async () => {
    await tune({ overall: { enabled: false } });
    await world.happen(KEY, remarkable('this'));
    world.tables.faults = async ({ name }) => {
      if (name === 'store.get') throw new VaultError('internal', 'The entity is damaged.');
      return 'none';
    };
    await detectAll();
    expect(subjects()).toEqual(['brute_force: this', 'volume_anomaly: this']);
  });

  it('that a detector does not take any more are as if they were not there', async () => {
    await tune({ overall: { step: 0 }, perActor: { step: 2 } });
    await world.happen();
    await detectAll();
    expect(subjects()).toEqual(['volume_anomaly: 2 rows']);
  });
});

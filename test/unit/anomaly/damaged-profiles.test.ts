import type { Detector } from '../../../core/anomaly/detector.ts';
import { AnomalyWorld, COUNTERS, counter, KEY, WORKSPACE } from '../../support/anomaly-world.ts';

const ACTOR = `${WORKSPACE}#${KEY.type}#${KEY.id}`;

let world: AnomalyWorld;
beforeEach(async () => {
  world = new AnomalyWorld();
  await world.happen();
  await world.detect();
  await world.happen();
});

const spoilWorkspace = (state: string): void => {
  const version = world.states.workspaces.get(WORKSPACE)?.version ?? 0;
  world.states.workspaces.set(WORKSPACE, { version, state });
};
const spoilActor = (state: (before: string) => string): void => {
  const stored = world.states.actors.get(ACTOR);
  if (stored === undefined) throw new Error('The actor has no profile.');
  world.states.actors.set(ACTOR, { ...stored, state: state(stored.state) });
};
const faultsOf = async (): Promise<object> => Object.fromEntries((await world.detect()).faults);

it.each(['', 'null', '{}', '{"next":5}', '\u0000'])(
  'a workspace profile that says %j is begun anew, and with it those of its actors',
  async (state) => {
    spoilWorkspace(state);
    expect(await faultsOf()).toEqual({ 'workspace profile: dropped': 1 });
    expect(world.seen()).toEqual(['0-1', '0-2']);
    expect(world.seen(KEY)).toEqual(['0-1', '0-2']);
    expect((await world.detect()).status).toBe('idle');
  },
);

it('a workspace profile without a version is begun anew', async () => {
  world.states.workspaces.delete(WORKSPACE);
  expect(await faultsOf()).toEqual({});
  expect(world.seen(KEY)).toEqual(['0-1', '0-2']);
});

it.each(['', 'null', '[]', '{"generation":1}'])(
  'a profile of an actor that says %j is begun anew, and stops nobody',
  async (state) => {
    spoilActor(() => state);
    expect(await faultsOf()).toEqual({ 'actor profile: dropped': 1 });
    expect(world.seen(KEY)).toEqual(['0-2']);
    expect(world.seen()).toEqual(['0-1', '0-2']);
  },
);

it('a state that does not fit its detector is begun anew, and the others are kept', async () => {
  world.detectors = new Map([...COUNTERS, ['other', counter('actor')]]);
  await world.detect();
  await world.happen();
  spoilActor((before) => before.replace('"other":{"rows":["0-2"]}', '"other":{"lines":7}'));
  expect(await faultsOf()).toEqual({ 'other: state dropped': 1 });
  expect(world.seen(KEY)).toEqual(['0-1', '0-2', '0-3']);
});

it('a detector that fails begins anew, and stops neither the others nor the run', async () => {
  const broken: Detector<unknown, unknown> = {
    ...counter('actor'),
    observe: () => {
      throw new TypeError('broken');
    },
  };
  world.detectors = new Map<string, Detector<unknown, unknown>>([['broken', broken], ...COUNTERS]);
  expect(await faultsOf()).toEqual({ 'broken: failed': 1 });
  expect(world.seen(KEY)).toEqual(['0-1', '0-2']);
});

it('a state that grows beyond its bound is begun anew', async () => {
  const greedy: Detector<unknown, unknown> = {
    ...counter('actor'),
    initial: () => ({ rows: ['0-0'.padEnd(5_000)] }),
  };
  world.detectors = new Map<string, Detector<unknown, unknown>>([['greedy', greedy], ...COUNTERS]);
  expect(await faultsOf()).toEqual({ 'greedy: state too large': 1 });
  expect(world.seen(KEY)).toEqual(['0-1', '0-2']);
});

it('states of a detector that there is no more are dropped, and of one that is new begun', async () => {
  world.detectors = new Map([['overall', counter('workspace')]]);
  await world.detect();
  world.detectors = COUNTERS;
  await world.happen();
  expect(await faultsOf()).toEqual({});
  expect(world.seen(KEY)).toEqual(['0-3']);
});

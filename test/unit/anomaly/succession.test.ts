import { allDetectors } from '../../../core/anomaly/detectors.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { AnomalyWorld, KEY, OTHER_KEY } from '../../support/anomaly-world.ts';

const rotated = (successor = OTHER_KEY.id) => ({
  action: 'api_key.rotated' as const,
  entity: { type: 'api_key', id: KEY.id },
  detail: { successor },
});

const ADA = { type: 'user', id: 'ada' } as const;

let world: AnomalyWorld;
beforeEach(() => {
  world = new AnomalyWorld();
});

describe('the successor of a key that was rotated', () => {
  it('goes on with what is known of that key, up to the rotation', async () => {
    await world.happen();
    await world.happen();
    await world.happen(KEY, rotated());
    await world.happen();
    await world.happen(OTHER_KEY);
    await world.detect();
    expect(world.seen(KEY)).toEqual(['0-1', '0-2', '0-3', '0-4']);
    expect(world.seen(OTHER_KEY)).toEqual(['0-1', '0-2', '0-3', '0-5']);
  });

  it('inherits in a later batch than that in which the key was used, and passes on what it has', async () => {
    const third = { ...KEY, id: `key_${'3'.repeat(32)}` };
    await world.happen();
    await world.detect();
    await world.happen(ADA, rotated());
    await world.happen(OTHER_KEY);
    await world.happen(ADA, { ...rotated(third.id), entity: { type: 'api_key', id: OTHER_KEY.id } });
    await world.detect();
    expect(world.seen(OTHER_KEY)).toEqual(['0-1', '0-3']);
    expect(world.seen(third)).toEqual(['0-1', '0-3']);
  });

  it('inherits nothing by a rotation that was refused, or answered again', async () => {
    await world.happen();
    await world.happen(KEY, { ...rotated(), result: 'denied' });
    await world.happen(KEY, { ...rotated(), detail: { replayed: 'true' } });
    await world.happen(OTHER_KEY);
    await world.detect();
    expect(world.seen(OTHER_KEY)).toEqual(['0-4']);
  });

  it('inherits once, wherever a run dies', async () => {
    await world.happen();
    await world.happen(KEY, rotated());
    await world.happen();
    await world.happen(OTHER_KEY);
    for (let dies = 1; dies < 4; dies += 1) {
      let saved = 0;
      world.tables.faults = async ({ name }) => {
        if (name === 'anomalies.replaceActor') saved += 1;
        return name === 'anomalies.replaceActor' && saved === dies ? 'after' : 'none';
      };
      await world.detect();
    }
    world.tables.faults = async () => 'none';
    while ((await world.detect()).status === 'worked');
    expect(world.seen(KEY)).toEqual(['0-1', '0-2', '0-3']);
    expect(world.seen(OTHER_KEY)).toEqual(['0-1', '0-2', '0-4']);
  });
});

describe('with the real detectors', () => {
  beforeEach(() => {
    world.detectors = allDetectors;
  });

  it('a thief who rotates a stolen key has no clean slate', async () => {
    await world.detect();
    for (let day = 0; day < 30; day += 1) {
      for (let use = 0; use < 10; use += 1) await world.happen();
      world.clock.advance(DAY_MS);
      await world.detect();
    }
    await world.happen(KEY, rotated());
    for (let use = 0; use < 120; use += 1) await world.happen(OTHER_KEY);
    await world.detect();
    expect(world.recorded).toMatchObject([
      {
        kind: 'volume_anomaly',
        subject: `api_key ${OTHER_KEY.id}`,
        seen: expect.stringMatching(/^101 uses of secrets between /),
      },
    ]);
  });

  it('a key that is rotated is not forgotten: its successor is dormant only after a while of its own', async () => {
    await world.happen();
    await world.detect();
    world.clock.advance(200 * DAY_MS);
    await world.happen(ADA, rotated());
    await world.happen(OTHER_KEY);
    await world.detect();
    expect(world.recorded).toEqual([]);
  });
});

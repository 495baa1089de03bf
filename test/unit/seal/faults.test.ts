import { VaultError } from '../../../core/kernel/errors.ts';
import { sealWorkspace } from '../../../core/seal/seal-workspace.ts';
import type { Fault } from '../../support/memory-ledger.ts';
import { SealWorld, WORKSPACE } from '../../support/seal-world.ts';

jest.setTimeout(60_000);

const MINUTE = 60_000;
const CHECKPOINT = `log/${WORKSPACE}/checkpoint`;

/** How one call fails. A late effect comes when the next run is over; after a crash nothing of the run happens. */
const FAULTS = ['before', 'after', 'late', 'crash'] as const;

/** Runs the sealer with a fault at one of its calls. */
async function runWithFault(
  world: SealWorld,
  fault: (typeof FAULTS)[number],
  at: number,
): Promise<{ readonly calls: number; readonly settle: () => void }> {
  const never = new Promise<never>(() => undefined);
  let calls = 0;
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  let crash = () => {};
  const crashed = new Promise<void>((resolve) => {
    crash = resolve;
  });
  let isDead = false;
  world.tables.faults = async (): Promise<Fault> => {
    const call = calls;
    calls += 1;
    if (isDead) return never;
    if (call !== at) return 'none';
    if (fault !== 'crash') return fault;
    isDead = true;
    crash();
    return never;
  };
  world.tables.answers = ({ name }) => (name.startsWith('late ') ? settled : Promise.resolve());
  await Promise.race([
    crashed,
    sealWorkspace(world.parts, WORKSPACE, { force: true }).catch(expectUnavailable),
  ]);
  world.tables.faults = async () => 'none';
  return { calls, settle };
}

function expectUnavailable(error: unknown): void {
  if (!(error instanceof VaultError) || error.code !== 'unavailable') throw error;
}

/** A run without faults: it seals what is left, and has nothing to complain of. */
async function finish(world: SealWorld): Promise<void> {
  world.clock.advance(MINUTE);
  const { status } = await sealWorkspace(world.parts, WORKSPACE);
  expect({ status, alerts: world.alerts }).toEqual({
    status: expect.stringMatching(/^(sealed|current)$/),
    alerts: [],
  });
}

/** What a run meets: nothing sealed yet; or a tree left behind by a crash, and rows that outgrow its tile. */
const beginnings: { readonly [name: string]: () => Promise<SealWorld> } = {
  'the first seal': async () => {
    const world = new SealWorld();
    await world.write(5, 2);
    return world;
  },
  'a seal after a crash': async () => {
    const world = new SealWorld();
    await world.write(249, 3);
    await sealWorkspace(world.parts, WORKSPACE);
    await world.write(1);
    world.tables.faults = async ({ name }) =>
      name === 'archive.create' && world.seals.states.get(WORKSPACE)?.size === 254 ? 'before' : 'none';
    await sealWorkspace(world.parts, WORKSPACE, { force: true }).catch(expectUnavailable);
    world.tables.faults = async () => 'none';
    expect(world.seals.states.get(WORKSPACE)).toMatchObject({ size: 254, publishedSize: 253 });
    await world.write(3, 1);
    return world;
  },
};

describe.each(Object.keys(beginnings))('%s', (name) => {
  let beginning: SealWorld;
  beforeAll(async () => {
    beginning = (await beginnings[name]?.()) ?? new SealWorld();
  });

  test.each(FAULTS)('whichever call fails (%s), the next run finishes it', async (fault) => {
    let points = 0;
    for (let at = 0; ; at += 1) {
      const world = beginning.copy();
      const { calls, settle } = await runWithFault(world, fault, at);
      if (at >= calls) break;
      points += 1;
      // Whoever looks at this moment sees a whole log, of before or after.
      if (fault === 'crash' && world.archive.current(CHECKPOINT) !== undefined) await world.readLog();
      await finish(world);
      settle();
      await new Promise(setImmediate);
      await world.write(2);
      await finish(world);
      const { log, unsealed } = await world.checkLog();
      expect(unsealed).toBe(0);
      expect(world.seals.states.get(WORKSPACE)).toMatchObject({ size: log.size, publishedSize: log.size });
    }
    expect(points).toBeGreaterThan(15);
  });
});

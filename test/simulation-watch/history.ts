import { type Coverage, type Fault, RandomFaults, SingleFault } from '../simulation-log/faults.ts';
import { SeededRandom } from '../support/random.ts';
import { check } from './check.ts';
import { ACTORS, type Alter, ROLES, WatchWorld } from './world.ts';

const MINUTE_MS = 60_000;
/** Longer than any late effect takes, and than the lease of a run that died. */
const QUIET_MS = 11 * MINUTE_MS;
/** From one phase to the next: what was told in one is told again in the next. */
const PAUSE_MS = 60 * MINUTE_MS;

export interface Report {
  /** What is wrong, one sentence each: empty when all is well. */
  readonly violations: readonly string[];
  readonly world: WatchWorld;
}

/** Tells a story to a world, lets the job come to rest without faults, and checks what is left. */
async function play(world: WatchWorld, tell: (world: WatchWorld) => Promise<void>): Promise<Report> {
  const story = tell(world).then(() => settle(world));
  let failure: unknown;
  story.catch((error: unknown) => {
    failure = error;
  });
  await world.scheduler.run();
  if (failure !== undefined) throw failure;
  return { violations: check(world), world };
}

async function settle(world: WatchWorld): Promise<void> {
  world.faults = undefined;
  await world.scheduler.turn(QUIET_MS);
  await world.watch('watch 1', 1_000);
}

/** A history of phases, in which rows are written in several lanes while two runs at once are at work, under faults. */
export function playHistory(seed: number, coverage: Coverage, alter?: Alter): Promise<Report> {
  return play(new WatchWorld(seed, alter), async (world) => {
    const { random, scheduler } = world;
    const faults = new RandomFaults(new SeededRandom(seed), coverage);
    await world.found();
    for (let phase = 1 + random.below(3); phase > 0; phase -= 1) {
      world.faults = faults;
      await Promise.all([
        writeAtRandom(world, 0),
        writeAtRandom(world, 1),
        writeAtRandom(world, 2),
        markAgain(world),
        ...ROLES.map((role) => watchAtRandom(world, role)),
      ]);
      world.faults = undefined;
      await scheduler.turn(PAUSE_MS);
    }
  });
}

async function writeAtRandom(world: WatchWorld, writer: number): Promise<void> {
  const { random, scheduler } = world;
  let marks = random.below(3);
  for (let left = 2 + random.below(12); left > 0; left -= 1) {
    const anyKey = () => world.keys[random.below(world.keys.length)] ?? ACTORS[0];
    const actor = anyKey();
    const what = random.below(11);
    if (what > 9) await world.rotate(writer, actor, anyKey());
    else if (what < 1) await world.tidy(writer);
    else if (what < 2) await world.tune(writer, actor);
    else if (what < 4) await world.knock(writer);
    else if (what < 6 && marks > 0) {
      marks -= 1;
      await world.use(writer, actor, random.below(5), `mark ${world.marks.size}`);
    } else await world.use(writer, actor, random.below(5));
    if (random.below(3) === 0) await scheduler.turn(random.below(30_000));
  }
}

/** Once in each phase, the same is found of the same actor. */
async function markAgain(world: WatchWorld): Promise<void> {
  await world.scheduler.turn(world.random.below(30_000));
  await world.use(2, ACTORS[0], 1, 'again');
}

async function watchAtRandom(world: WatchWorld, role: (typeof ROLES)[number]): Promise<void> {
  const { random, scheduler } = world;
  for (let runs = 1 + random.below(4); runs > 0; runs -= 1) {
    await scheduler.turn(random.below(40_000));
    let batches = 1 + random.below(20);
    await world.watch(role, 1 + random.below(12), () => {
      batches -= 1;
      return batches >= 0;
    });
    // A run that died has left its lease; most of the next ones find it over.
    if (random.below(3) > 0) await scheduler.turn(5 * MINUTE_MS);
  }
}

/**
 * A short story, in which one call of the job goes wrong. Before the job runs again more happens, the first of it by a
 * clock that is behind: it comes before what the job has looked at.
 */
export async function playSmall(
  at = 0,
  fault: Fault = 'none',
  alter?: Alter,
): Promise<Report & { readonly calls: readonly string[] }> {
  const faults = new SingleFault(at, fault);
  const report = await play(new WatchWorld(1, alter), async (world) => {
    await world.found();
    await writeSome(world, 'first');
    world.faults = faults;
    await world.watch('watch 1', 9);
    await world.knock(2);
    await writeSome(world, 'second');
    await world.watch('watch 2', 9);
  });
  return { ...report, calls: faults.calls };
}

async function writeSome(world: WatchWorld, mark: string): Promise<void> {
  await Promise.all([
    world.use(0, ACTORS[0], 1, mark),
    world.use(1, ACTORS[1], 2),
    world.use(0, ACTORS[0], 3),
    world.tune(1, ACTORS[1]),
  ]);
  await world.rotate(0, ACTORS[1], ACTORS[0]);
  for (let left = 8; left > 0; left -= 1) {
    await world.use(0, ACTORS[0], left);
    await world.use(0, `${ACTORS[0]}b`, left);
  }
}

import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { check } from './check.ts';
import { type Coverage, RandomFaults } from './faults.ts';
import { unzipAtOnce } from './gunzip.ts';
import { archive, retain, type Said, seal, verify, verifyAll } from './jobs.ts';
import { LogWorld, type Mutant } from './world.ts';
import { found, writeAtRandom } from './writers.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any late effect takes, and than the lease of a verifier that died. */
const QUIET_MS = 6 * MINUTE_MS;

export interface Report {
  /** What is wrong, one sentence each: empty when all is well. */
  readonly violations: readonly string[];
  readonly world: LogWorld;
}

/** Tells a story to a world, and checks what it leaves behind. Depends on the world's seed alone. */
export async function play(world: LogWorld, tell: (world: LogWorld) => Promise<void>): Promise<Report> {
  const restore = unzipAtOnce();
  try {
    const story = tell(world);
    let failure: unknown;
    story.catch((error: unknown) => {
      failure = error;
    });
    await world.scheduler.run();
    if (failure !== undefined) throw failure;
  } finally {
    restore();
  }
  return { violations: await check(await world.remains()), world };
}

/** A history of phases: in each, all are at work at once, under faults. Between them time passes. */
export function playHistory(seed: number, coverage: Coverage, mutant?: Mutant): Promise<Report> {
  return play(new LogWorld(seed, mutant), async (world) => {
    await tellHistory(world, coverage);
    await settle(world);
  });
}

async function tellHistory(world: LogWorld, coverage: Coverage): Promise<void> {
  const { random } = world;
  await found(world, 'writer 1');
  const faults = new RandomFaults(world.stream(), coverage);
  // In some the jobs are down for days.
  const hasOutages = random.below(4) === 0;
  if (hasOutages) for (const reason of ['unsealed', 'archive_missing']) world.excuses.add(reason);
  for (let phase = 1 + random.below(3); phase > 0; phase -= 1) {
    world.faults = faults;
    world.excuses.add('job_failed');
    await workAtOnce(world);
    world.faults = undefined;
    await world.scheduler.turn(QUIET_MS);
    world.excuses.delete('job_failed');
    if (random.below(3) === 0) world.archive.staged.clear();
    await letTimePass(world, hasOutages);
  }
}

async function workAtOnce(world: LogWorld): Promise<void> {
  const { random, scheduler } = world;
  const repeat = async (most: number, work: () => Promise<unknown>): Promise<void> => {
    for (let left = random.below(most + 1); left > 0; left -= 1) {
      await scheduler.turn(random.below(20_000));
      await work();
    }
  };
  await Promise.all([
    writeAtRandom(world, 'writer 1', 1 + random.below(5)),
    writeAtRandom(world, 'writer 2', 1 + random.below(5)),
    writeAtRandom(world, 'writer 3', 1 + random.below(5)),
    repeat(3, () => seal(world, 'sealer 1', random.below(2) === 0)),
    repeat(3, () => seal(world, 'sealer 2', true)),
    repeat(2, () => archive(world)),
    repeat(2, () => verifyAtRandom(world)),
    repeat(1, () => retain(world)),
  ]);
}

function verifyAtRandom(world: LogWorld): Promise<unknown> {
  const slice = 1 + world.random.below(40);
  switch (world.random.below(4)) {
    case 0:
      return verifyAll(world, 'complete', slice);
    case 1:
      return verifyAll(world, 'incremental', slice);
    default:
      return verify(world, slice);
  }
}

/** To just before midnight, to when the archiver may begin, or some days on. */
async function letTimePass(world: LogWorld, hasOutages: boolean): Promise<void> {
  const { random, scheduler } = world;
  const midnight = (Math.floor(scheduler.now / DAY_MS) + 1) * DAY_MS;
  const leaps = [
    scheduler.now + MINUTE_MS,
    midnight - 20_000,
    midnight + HOUR_MS - 10_000,
    midnight + 3 * HOUR_MS,
    midnight + DAY_MS + 4 * HOUR_MS,
    midnight + 2 * DAY_MS - 10_000,
  ];
  const until = leaps[random.below(leaps.length)] ?? midnight;
  if (!hasOutages) await seal(world, 'sealer 1', true);
  if (until > scheduler.now + HOUR_MS) world.restart();
  while (scheduler.now < until) {
    const nextRun = (Math.floor((scheduler.now - 4 * HOUR_MS) / DAY_MS) + 1) * DAY_MS + 4 * HOUR_MS;
    scheduler.now = Math.min(nextRun, until);
    if (scheduler.now < until && !hasOutages) await archive(world);
  }
}

/** More rounds than it takes until a round of all jobs changes nothing. */
const MOST_ROUNDS = 4;

/** The faults are over; all jobs run to their end, and then once more. */
async function settle(world: LogWorld): Promise<void> {
  const { scheduler, evidence } = world;
  world.faults = undefined;
  await scheduler.turn(QUIET_MS);
  world.restart();
  scheduler.now = (Math.floor(scheduler.now / DAY_MS) + 1) * DAY_MS + 4 * HOUR_MS;
  const complain = (what: string): void => void evidence.complaints.push(`in the end, ${what}`);
  const expectStatus = (job: string, said: readonly Said[], status: string): void => {
    for (const one of said)
      if (one.status !== status) complain(`${job} is ${one.status} in ${one.workspaceId}`);
  };
  await seal(world, 'sealer 1', true);
  expectStatus('archive', await archive(world), 'current');
  // Ends what verifications were under way: they tell how it was when they began.
  await verifyAll(world, 'incremental', 25);
  world.excuses.clear();
  for (const kind of ['incremental', 'complete'] as const) {
    const said = await verifyAll(world, kind, 25);
    if (said.length < 2) complain(`a verification (${kind}) does not end`);
    for (const { workspaceId, findings } of said) {
      if (findings?.broken !== 0)
        complain(`the verifier finds ${JSON.stringify(findings?.breaks)} in ${workspaceId}`);
    }
  }
  const due = await verify(world, 20_000);
  for (const { findings } of due)
    if (findings?.broken !== 0) complain(`the verifier finds ${JSON.stringify(findings?.breaks)}`);
  let before = '';
  for (let round = 0; before !== snapshot(world); round += 1) {
    if (round === MOST_ROUNDS) return complain('the jobs never come to rest');
    before = snapshot(world);
    expectStatus('retention', await retain(world), 'current');
    await seal(world, 'sealer 2', true);
    expectStatus('seal', await seal(world, 'sealer 1', true), 'current');
    expectStatus('archive', await archive(world), 'current');
  }
}

/** All that the stores hold, but for how far verifications have come. */
function snapshot({ tables, archive: { versions }, seals }: LogWorld): string {
  const objects = [...versions].map(([key, history]) => [key, history.map((one) => one?.versionId)]);
  return JSON.stringify([[...tables.rows.keys()], [...tables.entities.keys()], objects, [...seals.states]]);
}

import { archiveWorkspace } from '../../core/archive/archive-workspace.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { applyRetention } from '../../core/retention/apply-retention.ts';
import { sealWorkspace } from '../../core/seal/seal-workspace.ts';
import { verifyOnOrder } from '../../core/verification/verify-on-order.ts';
import { type Fault, SingleFault } from './faults.ts';
import { play, type Report } from './history.ts';
import { type Result, runJob } from './jobs.ts';
import type { Process } from './process.ts';
import type { LogWorld, Role } from './world.ts';
import { change, found, knock, read, WORKSPACE } from './writers.ts';

const HOUR_MS = 60 * 60_000;
const QUIET_MS = HOUR_MS / 10;
const LIMITS = { mayGoOn: () => true, slice: 20_000 };

export interface SmallReport extends Report {
  /** The names of all calls of the story, in order. */
  readonly calls: readonly string[];
}

/**
 * A short story in which everything happens once, one thing after the other; and in which the call of a number goes wrong.
 * Whatever job met that is run again at once, as a whole.
 *
 * @param at counted from 1; 0 for none.
 */
export async function playSmallHistory(at = 0, fault: Fault = 'none'): Promise<SmallReport> {
  const faults = new SingleFault(at, fault);
  const report = await play(1, async (world) => {
    world.faults = faults;
    await tellStory(world);
    world.faults = undefined;
    await world.scheduler.turn(QUIET_MS);
    await finish(world);
  });
  return { ...report, calls: faults.calls };
}

async function tellStory(world: LogWorld): Promise<void> {
  await found(world, 'writer 1');
  await change(world, 'writer 1', 0, false);
  await knock(world, 'writer 2');
  // The eager one loses a race, and opens lanes.
  await read(world, 'writer 3', 1, 1);
  await read(world, 'writer 1', 1, 1);
  await read(world, 'writer 3', 1, 1);
  await read(world, 'writer 3', 1, 2);
  await twice(world, seal);
  nextDay(world);
  await twice(world, archive);
  await twice(world, verify);
  await change(world, 'writer 1', 0, true);
  await twice(world, seal);
  nextDay(world);
  await twice(world, archive);
  await twice(world, retain);
}

/** All that was begun comes to its end; a verification tells what it finds. */
async function finish(world: LogWorld): Promise<void> {
  const { evidence } = world;
  nextDay(world);
  await run(world, seal);
  await run(world, archive);
  const [found] = await run(world, verify);
  if (found?.findings?.broken !== 0)
    evidence.complaints.push(`the verifier finds ${JSON.stringify(found?.findings?.breaks)}`);
  await run(world, seal);
  const objects = world.archive.versions.size;
  const settled = [...(await run(world, seal)), ...(await run(world, archive))];
  if (settled.some(({ status }) => status !== 'current') || objects !== world.archive.versions.size)
    evidence.complaints.push('the jobs do not come to rest');
}

interface Job {
  readonly role: Role;
  readonly work: (process: Process) => Promise<Omit<Result, 'workspaceId'> | undefined>;
}

const seal: Job = {
  role: 'sealer 1',
  work: async ({ parts }) => ({ outcome: await sealWorkspace(parts, WORKSPACE, { force: true }) }),
};
const archive: Job = {
  role: 'archiver',
  work: async ({ parts }) => ({ outcome: await archiveWorkspace(parts, WORKSPACE) }),
};
const retain: Job = {
  role: 'retention',
  work: async ({ retentionParts }) => ({ outcome: await applyRetention(retentionParts, WORKSPACE) }),
};
const verify: Job = {
  role: 'verifier',
  work: ({ parts }) => verifyOnOrder(parts, WORKSPACE, 'complete', LIMITS),
};

function run(world: LogWorld, { role, work }: Job) {
  return runJob(world, role, async function* (process) {
    const result = await work(process);
    if (result !== undefined) yield { workspaceId: WORKSPACE, ...result };
  });
}

/** Run again where something went wrong. */
async function twice(world: LogWorld, job: Job): Promise<void> {
  const faults = world.faults as SingleFault;
  const wasMet = faults.isMet;
  await run(world, job);
  if (!wasMet && faults.isMet) await run(world, job);
}

/** To 04:00 of the next day. */
function nextDay({ scheduler }: LogWorld): void {
  scheduler.now = (Math.floor(scheduler.now / DAY_MS) + 1) * DAY_MS + 4 * HOUR_MS;
}

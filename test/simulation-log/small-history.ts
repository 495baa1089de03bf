import { archiveWorkspace } from '../../core/archive/archive-workspace.ts';
import { DAY_MS } from '../../core/kernel/timestamps.ts';
import { applyRetention } from '../../core/retention/apply-retention.ts';
import { sealWorkspace } from '../../core/seal/seal-workspace.ts';
import { verifyOnOrder } from '../../core/verification/verify-on-order.ts';
import { type Fault, SingleFault } from './faults.ts';
import { play, type Report } from './history.ts';
import { type Result, runJob } from './jobs.ts';
import type { Process } from './process.ts';
import { LogWorld, type Role } from './world.ts';
import { change, found, knock, read, WORKSPACE } from './writers.ts';

const HOUR_MS = 60 * 60_000;
/** Longer than any late effect takes, and than the lease of a verifier that died. */
const QUIET_MS = HOUR_MS / 10;
const LIMITS = { mayGoOn: () => true, slice: 20_000 };

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

interface Scene {
  readonly name: string;
  readonly play: (world: LogWorld) => Promise<void>;
}

/** A short story in which everything happens, one thing after the other. A job that met a fault is run again at once. */
export const SCENES: readonly Scene[] = [
  {
    name: 'rows are written',
    play: async (world) => {
      await change(world, 'writer 1', 0, false);
      await knock(world, 'writer 2');
    },
  },
  {
    name: 'a writer loses a race and opens lanes',
    play: async (world) => {
      await read(world, 'writer 3', 1, 1);
      await read(world, 'writer 1', 1, 1);
      await read(world, 'writer 3', 1, 1);
      await read(world, 'writer 3', 1, 2);
    },
  },
  { name: 'the first seal', play: (world) => twice(world, seal) },
  { name: 'the first day is archived', play: (world) => nextMorning(world, archive) },
  { name: 'all is verified', play: (world) => twice(world, verify) },
  { name: 'more is written', play: (world) => change(world, 'writer 1', 0, true) },
  { name: 'the next seal', play: (world) => twice(world, seal) },
  { name: 'the next day is archived', play: (world) => nextMorning(world, archive) },
  { name: 'rows are given up', play: (world) => twice(world, retain) },
];

/** The worlds in which the scenes begin, when nothing goes wrong; and last the one in which the story has ended. */
export async function worldsOfScenes(): Promise<LogWorld[]> {
  const worlds = [(await play(new LogWorld(1), (world) => found(world, 'writer 1'))).world];
  for (const scene of SCENES) {
    const world = worlds.at(-1)?.copy() ?? new LogWorld(1);
    worlds.push((await play(world, scene.play)).world);
  }
  return worlds;
}

/** Calls that leave something behind. Of any other it makes no difference whether it was lost before or after. */
const WRITES: ReadonlySet<string> = new Set([
  'ledger.append',
  'archive.create',
  'archive.replace',
  'staging.put',
  'signer.sign',
  'seals.replace',
  'verifications.replace',
  'remover.remove',
]);

/** What can happen to a call while nobody else is at work, so that being slow changes nothing. */
export function faultsOf(call: string): readonly Fault[] {
  return WRITES.has(call)
    ? ['before', 'after', 'late', 'twice', 'crash before', 'crash after']
    : ['before', 'crash before'];
}

/** The names of all calls of a scene, in order. */
export async function callsOfScene(before: LogWorld, scene: Scene): Promise<readonly string[]> {
  const faults = new SingleFault();
  const world = before.copy();
  world.faults = faults;
  await play(world, scene.play);
  return faults.calls;
}

/** Plays one scene, in which the call of a number (counted from 1) goes wrong; then all jobs run to their end. */
export function playWithFault(before: LogWorld, scene: Scene, at: number, fault: Fault): Promise<Report> {
  const copy = before.copy();
  return play(copy, async (world) => {
    world.faults = new SingleFault(at, fault);
    await scene.play(world);
    world.faults = undefined;
    await world.scheduler.turn(QUIET_MS);
    await finish(world);
  });
}

/** All that was begun comes to its end; a verification tells what it finds; and then there is nothing more to do. */
async function finish(world: LogWorld): Promise<void> {
  const { evidence } = world;
  await run(world, seal);
  await nextMorning(world, archive);
  const [found] = await run(world, verify);
  if (found?.findings?.broken !== 0)
    evidence.complaints.push(`the verifier finds ${JSON.stringify(found?.findings?.breaks)}`);
  const [last] = await run(world, seal);
  if (last?.status !== 'sealed') evidence.complaints.push(`the last seal is ${last?.status}`);
}

function run(world: LogWorld, { role, work }: Job) {
  return runJob(world, role, async function* (process) {
    const result = await work(process);
    if (result !== undefined) yield { workspaceId: WORKSPACE, ...result };
  });
}

async function twice(world: LogWorld, job: Job): Promise<void> {
  await run(world, job);
  if (world.faults instanceof SingleFault && world.faults.isMet) await run(world, job);
}

async function nextMorning(world: LogWorld, job: Job): Promise<void> {
  const { scheduler } = world;
  scheduler.now = (Math.floor(scheduler.now / DAY_MS) + 1) * DAY_MS + 4 * HOUR_MS;
  await twice(world, job);
}

import type { KeyMigration } from '../../core/encryption-keys/key-migration.ts';
import type { DeploymentKeys } from '../../core/encryption-keys/wrapping-key.ts';
import type { Secret } from '../../core/secrets/secret.ts';
import type { Workspace } from '../../core/workspaces/workspace.ts';
import type { Request } from './evidence.ts';
import { Requests } from './requests.ts';
import { useFactor } from './scene.ts';
import { type KeysWorld, OWN_KEYS, type Rewrapper, WORKSPACES } from './world.ts';
import { customerKey, LETTERS } from './world-keys.ts';

const MINUTE_MS = 60_000;
/** The functions of a deployment get their settings one after the other, within this. */
const ROLLOUT_MS = 40 * MINUTE_MS;
/** The longest that an owner waits for a migration. */
const PATIENCE_MS = 20 * MINUTE_MS;

export type WorkspaceId = (typeof WORKSPACES)[number];

/** Programs that write and read, and people who delete and bring back. */
export async function useSecrets(
  world: KeysWorld,
  workspaceId: WorkspaceId,
  times: number,
  paceMs = MINUTE_MS,
): Promise<void> {
  const { scheduler } = world;
  const random = world.stream();
  const requests = new Requests(world, workspaceId);
  for (let left = times; left > 0; left -= 1) {
    const [live, deleted] = secretsOf(world, workspaceId);
    const one = live[random.below(live.length)];
    const gone = deleted[random.below(deleted.length)];
    const version = 1 + random.below(one?.currentVersion ?? 1);
    const chance = random.below(100);
    if (one === undefined || chance < 10) await requests.create();
    else if (chance < 15) await requests.import(random.below(2) === 0 ? one : undefined);
    else if (chance < 32) await requests.put(one);
    else if (chance < 42) await requests.rollback(one, version);
    else if (chance < 52) await requests.reveal(one);
    else if (chance < 67) await requests.reveal(one, version);
    else if (chance < 80) await requests.delete(one);
    else if (chance < 95 && gone !== undefined) await requests.restore(gone);
    else if (gone !== undefined) await requests.purge(gone);
    if (random.below(3) > 0) await scheduler.turn(random.below(paceMs));
  }
}

/** Somebody cannot decide whether a few secrets are needed: again and again they go from one list into the other. */
export async function hesitate(world: KeysWorld, workspaceId: WorkspaceId, times: number): Promise<void> {
  const random = world.stream();
  const requests = new Requests(world, workspaceId);
  const [live] = secretsOf(world, workspaceId);
  const few = live.slice(0, 3);
  for (let left = times; left > 0; left -= 1) {
    const one = few[random.below(few.length)];
    if (one === undefined) return;
    await requests.delete(one);
    await world.scheduler.turn(random.below(MINUTE_MS));
    await requests.restore(one);
    await world.scheduler.turn(random.below(2 * MINUTE_MS));
  }
}

/** While values are being moved, somebody destroys a few of them, one after the other. */
export async function cleanUp(world: KeysWorld, workspaceId: WorkspaceId, times: number): Promise<void> {
  const { scheduler } = world;
  const random = world.stream();
  const requests = new Requests(world, workspaceId);
  for (let left = times; left > 0; left -= 1) {
    for (let looks = 0; looks < 60 && isMoved(world, workspaceId); looks += 1) await scheduler.turn(5_000);
    await scheduler.turn(random.below(1.2 * MINUTE_MS));
    const [live] = secretsOf(world, workspaceId);
    for (const one of live.slice(-3)) {
      await requests.delete(one);
      await requests.purge(one);
    }
  }
}

/** Live and deleted ones, as the table has them. */
function secretsOf(world: KeysWorld, workspaceId: string): readonly [live: Secret[], deleted: Secret[]] {
  const all = world.entities<Secret>('secret').filter((secret) => secret.workspaceId === workspaceId);
  return [
    all.filter(({ deletedAt }) => deletedAt === undefined),
    all.filter(({ deletedAt }) => deletedAt !== undefined),
  ];
}

/** An owner brings keys, changes their mind, and retires the former ones once the vault says that it may be done. */
export async function manageKeys(world: KeysWorld, workspaceId: WorkspaceId, moves: number): Promise<void> {
  const { scheduler, keys } = world;
  const random = world.stream();
  const requests = new Requests(world, workspaceId);
  for (let left = moves; left > 0; left -= 1) {
    const isHasty = random.below(2) === 0;
    await scheduler.turn(random.below(isHasty ? MINUTE_MS / 2 : 5 * MINUTE_MS));
    const chance = random.below(10);
    if (chance < 7) {
      const letter = LETTERS[random.below(LETTERS.length)] ?? 'a';
      const keyArn = customerKey(WORKSPACES.indexOf(workspaceId), letter);
      keys.enable(keyArn);
      world.wanted.add(keyArn);
      await Promise.all([requests.bringKey(keyArn), useSecrets(world, workspaceId, random.below(4), 2_000)]);
      world.wanted.delete(keyArn);
    } else if (chance < 8) await requests.leaveKey();
    else await requests.readKey();
    if (random.below(2) === 0) await untilMoved(world, workspaceId);
    if (random.below(3) > 0) disableRetired(world, workspaceId, await requests.retireKeys());
  }
}

async function untilMoved(world: KeysWorld, workspaceId: string): Promise<void> {
  const { scheduler } = world;
  const end = scheduler.now + PATIENCE_MS;
  while (!isMoved(world, workspaceId) && scheduler.now < end) await scheduler.turn(MINUTE_MS / 2);
}

function isMoved(world: KeysWorld, workspaceId: string): boolean {
  const migrations = world.entities<KeyMigration>('keyMigration');
  return migrations.every(({ id, state }) => id !== workspaceId || state === 'done');
}

/** Once the vault says that it needs a key no more, its owner takes it away for good. */
function disableRetired(world: KeysWorld, workspaceId: WorkspaceId, { outcome }: Request): void {
  if (typeof outcome === 'object' && 'answer' in outcome) disableUnnamed(world, workspaceId);
}

/** Every key of a tenant that its workspace does not name, nor anybody is about to bring. */
export function disableUnnamed(world: KeysWorld, workspaceId: WorkspaceId): void {
  const named = namedKeys(world, workspaceId);
  for (const letter of LETTERS) {
    const keyArn = customerKey(WORKSPACES.indexOf(workspaceId), letter);
    if (!named.includes(keyArn) && !world.wanted.has(keyArn)) world.keys.disable(keyArn);
  }
}

/** The keys that a workspace says it needs. */
export function namedKeys(world: KeysWorld, workspaceId: string): readonly string[] {
  const workspace = world.entities<Workspace>('workspace').find(({ id }) => id === workspaceId);
  const current = workspace?.encryptionKey?.keyArn;
  return [...(current === undefined ? [] : [current]), ...(workspace?.previousKeyArns ?? [])];
}

/** A customer takes keys away for a while, as in an emergency or by mistake. */
export async function takeKeysAway(world: KeysWorld, workspaceId: WorkspaceId, times: number): Promise<void> {
  const { scheduler, keys } = world;
  const random = world.stream();
  for (let left = times; left > 0; left -= 1) {
    await scheduler.turn(random.below(10 * MINUTE_MS));
    const named = namedKeys(world, workspaceId).filter((keyArn) => !OWN_KEYS.includes(keyArn));
    const keyArn = named[random.below(named.length)];
    if (keyArn === undefined) continue;
    keys.disable(keyArn);
    await scheduler.turn(random.below(5 * MINUTE_MS));
    if (namedKeys(world, workspaceId).includes(keyArn)) keys.enable(keyArn);
  }
}

/** The deployment gets a new key of its own: its functions one by one, in either order. */
export async function changeDeployment(world: KeysWorld): Promise<void> {
  const { scheduler } = world;
  const random = world.stream();
  await scheduler.turn(random.below(10 * MINUTE_MS));
  const [former, own] = OWN_KEYS;
  const { values } = world.environment.api;
  const next: DeploymentKeys = { own, values: values === former ? own : values, allOwn: [own, former] };
  const roles = random.below(2) === 0 ? (['api', 'rewrapper'] as const) : (['rewrapper', 'api'] as const);
  for (const role of roles) {
    world.deploy(role, next);
    await scheduler.turn(random.below(ROLLOUT_MS));
  }
}

/** Somebody shows codes of their app from time to time, or sets it up anew. */
export async function logIn(world: KeysWorld, times: number): Promise<void> {
  const random = world.stream();
  for (let left = times; left > 0; left -= 1) {
    await world.scheduler.turn(random.below(8 * MINUTE_MS));
    await useFactor(world, random);
  }
}

/** The job, every minute, and now and then ended in the middle of its work; two of them overlap. */
export async function rewrapEveryMinute(world: KeysWorld, role: Rewrapper, until: number): Promise<void> {
  const { scheduler } = world;
  const random = world.stream();
  await scheduler.turn(random.below(MINUTE_MS));
  while (scheduler.now < until) {
    let steps = random.below(3) === 0 ? 1 + random.below(6) : Number.POSITIVE_INFINITY;
    await world.rewrap(role, () => {
      steps -= 1;
      return steps >= 0;
    });
    await scheduler.turn(MINUTE_MS);
  }
}

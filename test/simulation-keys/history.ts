import type { DeploymentKey } from '../../core/encryption-keys/deployment-key.ts';
import type { KeyMigration } from '../../core/encryption-keys/key-migration.ts';
import type { Secret } from '../../core/secrets/secret.ts';
import { type Coverage, type Fault, RandomFaults, SingleFault } from '../simulation-log/faults.ts';
import { SeededRandom } from '../support/random.ts';
import {
  changeDeployment,
  cleanUp,
  disableUnnamed,
  hesitate,
  logIn,
  manageKeys,
  namedKeys,
  rewrapEveryMinute,
  takeKeysAway,
  useSecrets,
} from './actors.ts';
import { check } from './check.ts';
import type { Request } from './evidence.ts';
import { Requests } from './requests.ts';
import { setScene } from './scene.ts';
import { type Broken, KeysWorld, REWRAPPERS, WORKSPACES } from './world.ts';
import { customerKey } from './world-keys.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than any late effect takes, and than lists lag. */
const QUIET_MS = 2 * MINUTE_MS;
/** Longer than the functions of a deployment may differ, and than the pause after a pass that was blocked. */
const SETTLED_MS = 3 * HOUR_MS;

export interface Report {
  /** What is wrong, one sentence each: empty when all is well. */
  readonly violations: readonly string[];
  readonly world: KeysWorld;
}

/** A history in which keys come and go while the vault is at work, under faults; then calm, in which all has to come to its end. */
export function playHistory(seed: number, coverage: Coverage, broken?: Broken): Promise<Report> {
  return play(new KeysWorld(seed, broken), async (world) => {
    const random = world.stream();
    await setScene(world);
    const [first, second] = WORKSPACES;
    await useSecrets(world, first, 15, 1_000);
    await useSecrets(world, second, 3, 1_000);
    world.faults = new RandomFaults(new SeededRandom(seed), coverage);
    const until = world.scheduler.now + (20 + random.below(30)) * MINUTE_MS;
    await Promise.all([
      useSecrets(world, first, 10 + random.below(30)),
      useSecrets(world, first, 10 + random.below(30)),
      useSecrets(world, second, random.below(10), 5 * MINUTE_MS),
      cleanUp(world, first, random.below(4)),
      hesitate(world, first, random.below(20)),
      manageKeys(world, first, 1 + random.below(6)),
      manageKeys(world, second, random.below(3)),
      takeKeysAway(world, first, random.below(3)),
      logIn(world, random.below(4)),
      ...(random.below(3) === 0 ? [changeDeployment(world)] : []),
      ...REWRAPPERS.map((role) => rewrapEveryMinute(world, role, until)),
    ]);
    world.faults = undefined;
  });
}

/**
 * A short story in which one call of whoever brings the key, moves the values or gives the former keys up goes wrong.
 * Somebody writes at the moment when the key changes.
 */
export async function playSmall(
  at = 0,
  fault: Fault = 'none',
): Promise<Report & { readonly calls: readonly string[] }> {
  const faults = new SingleFault(at, fault);
  const report = await play(new KeysWorld(1, {}, 0), async (world) => {
    const { scheduler } = world;
    await setScene(world);
    const [workspaceId] = WORKSPACES;
    const requests = new Requests(world, workspaceId);
    const [first, second] = [made(await requests.create()), made(await requests.create())];
    await requests.put(first);
    await requests.delete(second);
    world.faults = faults;
    await Promise.all([requests.bringKey(customerKey(0, 'a')), requests.put(first)]);
    const before = scheduler.now;
    while (scheduler.now < before + 10 * MINUTE_MS) {
      await world.rewrap('rewrapper 1');
      await scheduler.turn(MINUTE_MS);
    }
    await requests.retireKeys();
    world.faults = undefined;
  });
  return { ...report, calls: faults.calls };
}

/**
 * A pass met values that could not be moved, and another one follows after a pause. In the last moments of it, what the
 * lists have not caught up with is restored.
 */
export function playRestoredBetween(seed: number, broken?: Broken): Promise<Report> {
  const lag = 50_000;
  return play(new KeysWorld(seed, broken, lag), async (world) => {
    const { scheduler, keys } = world;
    await setScene(world);
    const [workspaceId] = WORKSPACES;
    const requests = new Requests(world, workspaceId);
    const secret = made(await requests.create());
    await scheduler.turn(lag);
    await requests.bringKey(customerKey(0, 'a'));
    for (let runs = 0; runs < 10; runs += 1) {
      await world.rewrap('rewrapper 1');
      await scheduler.turn(MINUTE_MS);
    }
    await requests.bringKey(customerKey(0, 'b'));
    keys.disable(customerKey(0, 'a'));
    const [migration] = world.entities<KeyMigration>('keyMigration');
    const resumesAt = (): number => {
      const found = world.entities<KeyMigration>('keyMigration').find(({ id }) => id === migration?.id);
      return found?.state === 'blocked' ? Date.parse(found.notBefore ?? '') : Number.NaN;
    };
    while (Number.isNaN(resumesAt())) {
      await world.rewrap('rewrapper 1');
      await scheduler.turn(MINUTE_MS);
    }
    keys.enable(customerKey(0, 'a'));
    await requests.delete(secret);
    await scheduler.turn(resumesAt() - scheduler.now - 5_000);
    await requests.restore(secret);
    await scheduler.turn(10_000);
    await world.rewrap('rewrapper 1');
  });
}

function made({ outcome }: Request): Secret {
  if (outcome === 'died' || !('answer' in outcome)) throw new TypeError('Nothing was made.');
  return outcome.answer as Secret;
}

async function play(world: KeysWorld, tell: (world: KeysWorld) => Promise<void>): Promise<Report> {
  const story = tell(world).then(() => settle(world));
  let failure: unknown;
  story.catch((error: unknown) => {
    failure = error;
  });
  await world.scheduler.run();
  if (failure !== undefined) throw failure;
  return { violations: await check(world), world };
}

/** Keys that are named can be used, the others are gone; the job runs until there is nothing more to do, or for hours. */
async function settle(world: KeysWorld): Promise<void> {
  const { scheduler, keys } = world;
  await scheduler.turn(QUIET_MS);
  for (const workspaceId of WORKSPACES) {
    disableUnnamed(world, workspaceId);
    for (const keyArn of namedKeys(world, workspaceId)) keys.enable(keyArn);
  }
  const until = scheduler.now + SETTLED_MS;
  do {
    await world.rewrap('rewrapper 1');
    await scheduler.turn(MINUTE_MS);
  } while (!isAtRest(world) && scheduler.now < until);
}

function isAtRest(world: KeysWorld): boolean {
  const { own, values } = world.environment.rewrapper;
  const isMoved = world.entities<KeyMigration>('keyMigration').every(({ state }) => state === 'done');
  const [noted] = world.entities<DeploymentKey>('deploymentKey');
  return isMoved && noted?.state === 'settled' && noted.own === own && noted.values === values;
}

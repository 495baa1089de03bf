import { STRANGER_LANE } from '../../core/audit/event.ts';
import { laneOpened, systemOrigin } from '../../core/audit/lane-start.ts';
import { apiKeyId, apiKeyKind, newToken, tokenHash } from '../../core/identity/api-key.ts';
import { create } from '../../core/kernel/entity.ts';
import { newId } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { newWorkspace } from '../../core/workspaces/workspace.ts';
import { logger } from '../../lambdas/shared/logger.ts';
import { bursts } from './bursts.ts';
import { check } from './check.ts';
import { runJob, send } from './client.ts';
import { readEverything } from './epilogue.ts';
import type { Coverage } from './faults.ts';
import { jobs } from './jobs.ts';
import { drawOperation, type Operation, operations, peopleOperations } from './operations.ts';
import { invite } from './operations-members.ts';
import { newPerson, type Person } from './people.ts';
import { withApp } from './second-factors.ts';
import { Client, NAMES, NAMESPACES, type Team } from './team.ts';
import { watchWebCrypto } from './web-crypto.ts';
import { type Mutant, World } from './world.ts';

export interface Report {
  readonly seed: number;
  /** What is wrong, one sentence each, with the invariant first: empty when all is well. */
  readonly violations: readonly string[];
  readonly coverage: Coverage;
  /** How often each operation was done, and how often it came to what it is about. */
  readonly operations: Tally;
  readonly world: World;
  readonly teams: readonly Team[];
}

export type Tally = Map<string, { readonly done: number; readonly succeeded: number }>;

export function tally(counts: Tally, name: string, done: number, succeeded: number): void {
  const before = counts.get(name) ?? { done: 0, succeeded: 0 };
  counts.set(name, { done: before.done + done, succeeded: before.succeeded + succeeded });
}

/** Plays one history, which depends on the seed alone, and checks what it left behind. */
export async function runHistory(seed: number, mutant?: Mutant): Promise<Report> {
  const world = new World(seed, mutant);
  const counts: Tally = new Map();
  const note: typeof logger.warn = (message, ...more) => {
    world.evidence.logs.push(JSON.stringify([message, ...more]));
  };
  Object.assign(logger, { warn: note, error: note });
  const unwatch = watchWebCrypto();
  const story = tell(world, counts);
  await world.scheduler.run().finally(unwatch);
  const teams = await story;
  const { evidence, tables } = world;
  evidence.rows = [...tables.rows.values()];
  evidence.entities = [...tables.entities.values()];
  return {
    seed,
    violations: check(evidence),
    coverage: world.plan.coverage,
    operations: counts,
    world,
    teams,
  };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Bursts are large, so they are rare; and without faults, so that exactly one of their requests has to win. */
const BURSTS_PERCENT = 5;
/** Longer than any late effect takes. */
const QUIET_MS = MINUTE_MS;

async function tell(world: World, counts: Tally): Promise<Team[]> {
  const { plan, scheduler } = world;
  const teams = [await setUpFirst(world), await foundWorkspace(world)];
  const clients = teams.map(
    (team) =>
      new Client(
        world,
        team,
        teams.filter((other) => other !== team),
      ),
  );
  plan.enabled = false;
  for (const client of clients) await furnish(client);

  // Most histories are short, since many of them find more than a few long ones; but some things take their time.
  const isLong = world.random.below(8) === 0;
  const longest = isLong ? 10 : 3;
  // In some there is nothing but people and what they do to each other.
  const kinds = world.random.below(3) === 0 ? peopleOperations : operations;
  for (let phase = isLong ? 2 : 1; phase > 0; phase -= 1) {
    plan.enabled = true;
    const members = clients.flatMap((client) => (client.chance(50) ? [client, client] : [client]));
    await Promise.all([
      ...members.map((client) => work(client, kinds, counts, 1 + client.below(longest))),
      runJobs(world, counts),
    ]);
    plan.enabled = false;
    await scheduler.turn(QUIET_MS);
    const [client] = clients;
    if (client?.chance(BURSTS_PERCENT)) await carryOut(client, drawOperation(client, bursts), counts);
    if (phase > 1) await letTimePass(world);
  }
  await readEverything(clients);
  await runJob(world, jobs.sweepTallies);
  await runJob(world, jobs.verify);
  return teams;
}

async function work(
  client: Client,
  kinds: readonly Operation[],
  counts: Tally,
  count: number,
): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    await carryOut(client, drawOperation(client, kinds), counts);
  }
}

async function carryOut(client: Client, { name, run }: Operation, counts: Tally): Promise<void> {
  const succeeded = (await run(client)) === true;
  tally(counts, name, 1, succeeded ? 1 : 0);
}

async function runJobs(world: World, counts: Tally): Promise<void> {
  for (let left = world.random.below(3); left > 0; left -= 1) {
    const all = Object.values(jobs);
    const job = all[world.random.below(all.length)] ?? jobs.verify;
    tally(counts, job.name, 1, 0);
    await runJob(world, job);
    await world.scheduler.turn(world.random.below(2_000));
  }
}

/** Minutes or days, in which the table forgets some of what is over, and all instances go. */
async function letTimePass(world: World): Promise<void> {
  const { random, scheduler } = world;
  // Longer than an access token is good for; than a session may be idle; than deleted secrets can be restored.
  const leaps = [MINUTE_MS, 6 * MINUTE_MS, 31 * MINUTE_MS, DAY_MS + MINUTE_MS, 8 * DAY_MS];
  scheduler.now += leaps[random.below(leaps.length)] ?? MINUTE_MS;
  world.forgetExpired((expiry) => expiry < scheduler.now && random.below(2) === 0);
  world.restart();
  await runJob(world, jobs.purgeExpired);
}

/** Two operators with one token race, at times under faults; then the operator tries on with fresh tokens. */
async function setUpFirst(world: World): Promise<Team> {
  const owner: Person = {
    email: 'owner@first.example',
    password: world.secretText(),
    backupCodes: [],
    spentCodes: [],
    browsers: [],
  };
  const { email, password } = owner;
  const post = () =>
    send(world, {
      method: 'POST',
      path: '/setup',
      headers: {},
      body: { setupToken: world.setupToken, workspaceName: 'first', email, password },
      ip: '198.51.100.1',
    });
  let answers = await Promise.all([post(), post()]);
  for (let tries = 0; tries < 3; tries += 1) {
    const created = answers.find((answer) => answer?.status === 201);
    if (created !== undefined) {
      const { workspaceId, apiKey, owner: made } = JSON.parse(created.text);
      return newTeam(workspaceId, { id: apiKey.id, token: apiKey.key }, [{ ...owner, userId: made.id }]);
    }
    await world.scheduler.turn(QUIET_MS);
    world.plan.enabled = false;
    world.rotateSetupToken();
    answers = [await post(), undefined];
  }
  throw new Error('Nobody can set up the first workspace.');
}

/** A workspace besides the first one, for which there is no route yet: what set-up would write. */
async function foundWorkspace(world: World): Promise<Team> {
  world.plan.enabled = false;
  const { trail, clock } = world.lease().vault;
  const workspaceId = newId('ws', world.random);
  const token = newToken(world.random);
  const now = timestamp(clock.now());
  const key = create(apiKeyKind, {
    workspaceId,
    id: apiKeyId(token),
    name: 'owner',
    role: 'owner',
    namespaces: ['*'],
    tokenHash: tokenHash(token),
    honeypot: false,
    createdAt: now,
    createdBy: 'setup',
  });
  const workspace = newWorkspace(workspaceId, 'second', now);
  const subject = { type: 'workspace', id: workspaceId };
  await trail.commit(systemOrigin(workspaceId, 'setup'), [
    { action: 'workspace.created', entity: subject, result: 'success', changes: [workspace] },
    laneOpened(workspaceId, STRANGER_LANE),
    {
      action: 'api_key.created',
      entity: { type: 'api_key', id: key.entity.id },
      result: 'success',
      changes: [key],
    },
  ]);
  const keyId = key.entity.id;
  world.evidence.grants.push({ token, keyId, workspaceId });
  return newTeam(workspaceId, { id: keyId, token }, []);
}

function newTeam(workspaceId: string, auditor: Team['auditor'], people: Person[]): Team {
  return { workspaceId, auditor, keys: [], secrets: [], people, apps: [], sent: [], cursors: [] };
}

/** More versions than a purge destroys in one commit. */
const MANY_VERSIONS = 42;

/** A key besides the owner's and a secret, for the clients to work with; at times one with a long past to purge. */
async function furnish(client: Client): Promise<void> {
  const { auditor } = client.team;
  const own = (path: string, body: { readonly [name: string]: unknown }, method: 'POST' | 'PUT' = 'POST') =>
    client.ask(client.request(method, path, { body }, auditor.token));
  const role = client.choose(['viewer', 'operator', 'admin']);
  const namespaces = client.chance(50) ? [NAMESPACES[0]] : ['*'];
  client.learnKey(await own('/api-keys', { name: role, role, namespaces }));
  const body = {
    namespace: client.namespace(),
    name: client.choose(NAMES),
    value: client.world.secretText(),
  };
  client.learnSecret(await own('/secrets', body));
  if (client.team.people.length === 0) await invite(client, newPerson(client), 'owner', 1);
  if (client.chance(70))
    await invite(client, newPerson(client), client.choose(['viewer', 'admin', 'operator']), 1);
  // In some histories somebody works in both workspaces,
  const other = client.pick(client.others.flatMap(({ people }) => people));
  if (client.chance(15) && other !== undefined)
    await invite(client, other, client.choose(['viewer', 'owner']), 1);
  // or has a second factor from the start.
  if (client.chance(15)) await withApp(client);
  const [first] = client.team.secrets;
  if (first === undefined || !client.chance(1)) return;
  for (let version = 1; version < MANY_VERSIONS; version += 1) {
    await own(`/secrets/${first.id}/value`, { value: client.world.secretText() }, 'PUT');
  }
  await client.ask(client.request('DELETE', `/secrets/${first.id}`, {}, auditor.token));
}

import { STRANGER_LANE } from '../../core/audit/event.ts';
import { laneOpened, systemOrigin } from '../../core/audit/lane-start.ts';
import { apiKeyId, apiKeyKind, newToken, tokenHash } from '../../core/identity/api-key.ts';
import { create } from '../../core/kernel/entity.ts';
import { newId } from '../../core/kernel/ids.ts';
import { timestamp } from '../../core/kernel/timestamps.ts';
import { workspaceKind } from '../../core/workspaces/workspace.ts';
import { logger } from '../../lambdas/shared/logger.ts';
import { check } from './check.ts';
import { runJob, send } from './client.ts';
import { readEverything } from './epilogue.ts';
import type { Coverage } from './faults.ts';
import { jobs } from './jobs.ts';
import { drawOperation } from './operations.ts';
import { Client, NAMES, NAMESPACES, type Team } from './team.ts';
import { type Mutant, World } from './world.ts';

export interface Report {
  readonly seed: number;
  /** What is wrong, one sentence each, with the invariant first: empty when all is well. */
  readonly violations: readonly string[];
  readonly coverage: Coverage;
  /** How often each operation was done. */
  readonly operations: ReadonlyMap<string, number>;
  readonly world: World;
  readonly teams: readonly Team[];
}

/** Plays one history, which depends on the seed alone, and checks what it left behind. */
export async function runHistory(seed: number, mutant?: Mutant): Promise<Report> {
  const world = new World(seed, mutant);
  const operations = new Map<string, number>();
  logger.warn = (message, ...more) => {
    world.evidence.logs.push(JSON.stringify([message, ...more]));
  };
  const story = tell(world, operations);
  await world.scheduler.run();
  const teams = await story;
  const { evidence, tables } = world;
  evidence.rows = [...tables.rows.values()];
  evidence.entities = [...tables.entities.values()];
  return { seed, violations: check(evidence), coverage: world.plan.coverage, operations, world, teams };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Longer than any late effect takes. */
const QUIET_MS = MINUTE_MS;

async function tell(world: World, operations: Map<string, number>): Promise<Team[]> {
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
  for (let phase = isLong ? 2 : 1; phase > 0; phase -= 1) {
    plan.enabled = true;
    const members = clients.flatMap((client) => (client.chance(50) ? [client, client] : [client]));
    await Promise.all([
      ...members.map((client) => work(client, operations, 1 + client.below(longest))),
      runJobs(world, operations),
    ]);
    plan.enabled = false;
    await scheduler.turn(QUIET_MS);
    if (phase > 1) await letTimePass(world);
  }
  await readEverything(clients);
  await runJob(world, jobs.sweepTallies);
  await runJob(world, jobs.verify);
  return teams;
}

async function work(client: Client, operations: Map<string, number>, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) {
    const { name, run } = drawOperation(client);
    operations.set(name, (operations.get(name) ?? 0) + 1);
    await run(client);
  }
}

async function runJobs(world: World, operations: Map<string, number>): Promise<void> {
  for (let left = world.random.below(3); left > 0; left -= 1) {
    const all = Object.values(jobs);
    const job = all[world.random.below(all.length)] ?? jobs.verify;
    operations.set(job.name, (operations.get(job.name) ?? 0) + 1);
    await runJob(world, job);
    await world.scheduler.turn(world.random.below(2_000));
  }
}

/** Minutes or days, in which the table forgets some of what is over, and all instances go. */
async function letTimePass(world: World): Promise<void> {
  const { random, scheduler } = world;
  const leaps = [MINUTE_MS, DAY_MS + MINUTE_MS, 8 * DAY_MS];
  scheduler.now += leaps[random.below(leaps.length)] ?? MINUTE_MS;
  world.forgetExpired((expiry) => expiry < scheduler.now && random.below(2) === 0);
  world.restart();
  await runJob(world, jobs.purgeExpired);
}

/** Two operators with one token race, at times under faults; then the operator tries on with fresh tokens. */
async function setUpFirst(world: World): Promise<Team> {
  const post = () =>
    send(world, {
      method: 'POST',
      path: '/setup',
      headers: {},
      body: { setupToken: world.setupToken, workspaceName: 'first' },
      ip: '198.51.100.1',
    });
  let answers = await Promise.all([post(), post()]);
  for (let tries = 0; tries < 3; tries += 1) {
    const created = answers.find((answer) => answer?.status === 201);
    if (created !== undefined) {
      const { workspaceId, apiKey } = JSON.parse(created.text);
      return newTeam(workspaceId, { id: apiKey.id, token: apiKey.key });
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
  const workspace = create(workspaceKind, { workspaceId, id: workspaceId, name: 'second', createdAt: now });
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
  return newTeam(workspaceId, { id: keyId, token });
}

function newTeam(workspaceId: string, auditor: Team['auditor']): Team {
  return { workspaceId, auditor, keys: [], secrets: [], sent: [], cursors: [] };
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
  const [first] = client.team.secrets;
  if (first === undefined || !client.chance(1)) return;
  for (let version = 1; version < MANY_VERSIONS; version += 1) {
    await own(`/secrets/${first.id}/value`, { value: client.world.secretText() }, 'PUT');
  }
  await client.ask(client.request('DELETE', `/secrets/${first.id}`, {}, auditor.token));
}

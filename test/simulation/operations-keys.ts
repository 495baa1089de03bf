import type { Operation } from './operations.ts';
import { list } from './operations-secrets.ts';
import { learnPassword } from './people.ts';
import { type Client, NAMESPACES } from './team.ts';

const SECOND_MS = 1_000;

/** API keys, set-up, and callers who have no valid key. */
export const keyOperations: readonly Operation[] = [
  { name: 'create key', weight: 6, run: createKey },
  { name: 'list keys', weight: 10, run: (client) => list(client, '/api-keys', {}) },
  { name: 'rotate key', weight: 4, run: rotateKey },
  { name: 'revoke key', weight: 3, run: revokeKey },
  { name: 'foreign and absent key', weight: 2, run: probeKey },
  { name: 'call without a valid key', weight: 5, run: callAsStranger },
  { name: 'set up again', weight: 2, run: setUpAgain },
];

async function createKey(client: Client): Promise<void> {
  const { scheduler } = client.world;
  const expiresAt = new Date(scheduler.now + SECOND_MS * (5 + client.below(60))).toISOString();
  const sent = client.request('POST', '/api-keys', {
    headers: client.idempotency(),
    body: {
      name: 'made by a client',
      role: client.choose(['viewer', 'operator', 'operator', 'admin', 'owner']),
      namespaces: client.chance(60) ? ['*'] : [client.choose(NAMESPACES)],
      ...(client.chance(30) ? { expiresAt } : {}),
      ...(client.chance(10) ? { honeypot: true } : {}),
    },
  });
  client.learnKey(await client.ask(sent));
}

async function rotateKey(client: Client): Promise<void> {
  const key = client.pick(client.team.keys);
  if (key === undefined) return;
  const body = { overlapSeconds: client.choose([0, 5, 3_600]) };
  const sent = client.request('POST', `/api-keys/${key.id}/rotate`, { body, headers: client.idempotency() });
  client.learnKey(await client.ask(sent));
}

async function revokeKey(client: Client): Promise<void> {
  const key = client.pick(client.team.keys);
  if (key !== undefined) await client.ask(client.request('DELETE', `/api-keys/${key.id}`));
}

/** The same request for another tenant's key and for one that nobody has. */
async function probeKey(client: Client): Promise<void> {
  const token = client.token();
  const isRevocation = client.chance(50);
  const foreign = client.pick(client.others.flatMap(({ keys }) => keys))?.id;
  for (const id of [foreign ?? `key_${client.hex(16)}`, `key_${client.hex(16)}`]) {
    await client.ask(
      isRevocation
        ? client.request('DELETE', `/api-keys/${id}`, {}, token)
        : client.request('POST', `/api-keys/${id}/rotate`, { body: { overlapSeconds: 0 } }, token),
    );
  }
}

async function callAsStranger(client: Client): Promise<void> {
  const path = `/secrets/${client.secret().id}`;
  const sent = client.request(client.choose(['GET', 'DELETE']), path);
  const authorization = client.choose([
    undefined,
    'Basic Zm9vOmJhcg==',
    'Bearer lz_short',
    `Bearer lz_${'A'.repeat(43)}`,
  ]);
  for (let times = 1 + client.below(3); times > 0; times -= 1) {
    await client.ask({ ...sent, headers: authorization === undefined ? {} : { authorization } });
  }
}

/** With a token that is wrong or dead; or, once the operator has rotated it, with a fresh one: at times to recover somebody. */
async function setUpAgain(client: Client): Promise<void> {
  const { world } = client;
  if (client.chance(30)) world.rotateSetupToken();
  const setupToken = client.chance(70) ? world.setupToken : world.secretText();
  const person = client.chance(40) ? client.pick(client.team.people) : undefined;
  const password = world.secretText();
  const named = person === undefined ? {} : { email: person.email, password };
  const body = { setupToken, workspaceName: 'again', ...named };
  const answer = await client.exchange({
    method: 'POST',
    path: '/setup',
    headers: {},
    body,
    ip: client.address(),
  });
  if (person === undefined || answer?.status === 401) return;
  learnPassword(person, password, answer?.status);
  if (answer?.status !== 201) return;
  person.totpSecret = undefined;
  person.backupCodes = [];
}

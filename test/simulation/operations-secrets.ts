import type { Operation } from './operations.ts';
import { type Client, NAMES } from './team.ts';

const TAGS = ['blue', 'green', 'legacy'] as const;

/** Namespaces, secrets and their values. */
export const secretOperations: readonly Operation[] = [
  { name: 'create namespace', weight: 3, run: createNamespace },
  { name: 'delete namespace', weight: 4, run: deleteNamespace },
  { name: 'list namespaces', weight: 2, run: (client) => list(client, '/namespaces', {}) },
  { name: 'create secret', weight: 12, run: createSecret },
  { name: 'read secret', weight: 3, run: readSecret },
  { name: 'list secrets', weight: 5, run: (client) => list(client, '/secrets', secretFilter(client)) },
  { name: 'export secrets', weight: 2, run: (client) => list(client, '/secrets/export', {}) },
  { name: 'update secret', weight: 5, run: updateSecret },
  { name: 'put value', weight: 10, run: putValue },
  { name: 'reveal', weight: 10, run: reveal },
  { name: 'reveal by name', weight: 6, run: revealByName },
  { name: 'reveal in bulk', weight: 6, run: revealInBulk },
  { name: 'list versions', weight: 8, run: listVersions },
  { name: 'roll back', weight: 6, run: rollBack },
  { name: 'delete secret', weight: 8, run: deleteSecret },
  { name: 'restore secret', weight: 5, run: restoreSecret },
  { name: 'purge secret', weight: 6, run: purgeSecret },
  { name: 'import', weight: 5, run: importSecrets },
  { name: 'import a broken file', weight: 1, run: importBroken },
  { name: 'repeat a request', weight: 5, run: repeat },
  { name: 'repeat with another body', weight: 2, run: repeatAltered },
  { name: 'foreign and absent secret', weight: 4, run: probe },
];

async function createNamespace(client: Client): Promise<void> {
  await client.ask(
    client.request('POST', '/namespaces', {
      body: { name: client.namespace() },
      headers: client.idempotency(),
    }),
  );
}

async function deleteNamespace(client: Client): Promise<void> {
  await client.ask(client.request('DELETE', `/namespaces/${client.namespace()}`));
}

/** Also with the cursor of an earlier page, whoever got it. */
export async function list(
  client: Client,
  path: string,
  filter: { readonly [name: string]: string },
): Promise<void> {
  const known = client.pick(client.team.cursors.filter((one) => one.path === path));
  const stray = client.pick(client.others.flatMap(({ cursors }) => cursors));
  const continued = client.chance(30) ? known : undefined;
  const cursor = continued ?? (client.chance(5) ? stray : undefined);
  const query = cursor === undefined ? filter : { ...filter, cursor: cursor.cursor };
  const sent = client.request('GET', path, { query }, continued?.token);
  client.learnCursor(sent, await client.ask(sent));
}

function secretFilter(client: Client): { readonly [name: string]: string } {
  const pages = client.chance(40) ? { limit: String(1 + client.below(3)) } : {};
  switch (client.below(5)) {
    case 0:
      return { namespace: client.namespace(), ...pages };
    case 1:
      return { tag: client.choose(TAGS), ...pages };
    case 2:
      return { isCUI: 'true' };
    case 3:
      return { deleted: 'true', ...pages };
    default:
      return pages;
  }
}

async function createSecret(client: Client): Promise<void> {
  const { world } = client;
  const sent = client.request('POST', '/secrets', {
    headers: { ...client.idempotency(), ...(client.chance(20) ? { 'if-none-match': '*' } : {}) },
    body: {
      namespace: client.namespace(),
      name: client.choose(NAMES),
      value: world.secretText(),
      ...(client.chance(50) ? { tags: [client.choose(TAGS)] } : {}),
      ...(client.chance(50)
        ? { description: `described ${client.below(100)}`, isCUI: client.chance(50) }
        : {}),
    },
  });
  client.learnSecret(await client.ask(sent));
}

async function readSecret(client: Client): Promise<void> {
  await client.ask(client.request('GET', `/secrets/${client.secret().id}`));
}

async function updateSecret(client: Client): Promise<void> {
  const body = client.chance(50)
    ? { description: client.chance(30) ? null : `described ${client.below(100)}` }
    : { tags: [client.choose(TAGS)], isCUI: client.chance(50) };
  await client.ask(
    client.request('PATCH', `/secrets/${client.secret().id}`, { body, headers: client.ifMatch() }),
  );
}

async function putValue(client: Client): Promise<void> {
  const body = { value: client.world.secretText() };
  await client.ask(
    client.request('PUT', `/secrets/${client.secret().id}/value`, { body, headers: client.ifMatch() }),
  );
}

async function reveal(client: Client): Promise<void> {
  const body = client.chance(30) ? { version: 1 + client.below(3) } : {};
  await client.ask(client.request('POST', `/secrets/${client.secret().id}/reveal`, { body }));
}

async function revealByName(client: Client): Promise<void> {
  const { namespace, name } = client.secret();
  const headers = client.chance(30) ? { 'if-none-match': `"v${1 + client.below(4)}"` } : {};
  await client.ask(client.request('GET', `/namespaces/${namespace}/secrets/${name}/value`, { headers }));
}

async function revealInBulk(client: Client): Promise<void> {
  const some = Array.from({ length: 1 + client.below(4) }, () => client.secret().id);
  const ids = [...some, ...(client.chance(30) ? [client.foreignSecret().id, client.absentSecret().id] : [])];
  const body = client.chance(50) ? { namespace: client.namespace() } : { ids };
  await client.ask(client.request('POST', '/secrets/reveal', { body }));
}

async function listVersions(client: Client): Promise<void> {
  await list(client, `/secrets/${client.secret().id}/versions`, client.chance(50) ? { limit: '1' } : {});
}

async function rollBack(client: Client): Promise<void> {
  const sent = client.request('POST', `/secrets/${client.secret().id}/rollback`, {
    body: { version: 1 + client.below(3) },
    headers: { ...client.idempotency(), ...client.ifMatch() },
  });
  await client.ask(sent);
}

async function deleteSecret(client: Client): Promise<void> {
  await client.ask(client.request('DELETE', `/secrets/${client.secret().id}`, { headers: client.ifMatch() }));
}

async function restoreSecret(client: Client): Promise<void> {
  await client.ask(client.request('POST', `/secrets/${client.secret().id}/restore`));
}

async function purgeSecret(client: Client): Promise<void> {
  await client.ask(client.request('DELETE', `/secrets/${client.secret().id}`, { query: { purge: 'true' } }));
}

/** More than one slice of 20, at times. */
async function importSecrets(client: Client): Promise<void> {
  const { world } = client;
  const size = client.chance(20) ? 21 + client.below(4) : 1 + client.below(4);
  const names = Array.from({ length: size }, (_, index) => NAMES[index] ?? `IMPORTED_${index}`);
  const values = names.map((name) => [name, world.secretText()] as const);
  const isJson = client.chance(50);
  const sent = client.request('POST', '/secrets/import', {
    headers: client.idempotency(),
    body: {
      format: isJson ? 'json' : 'env',
      namespace: client.namespace(),
      content: isJson
        ? JSON.stringify(Object.fromEntries(values))
        : values.map(([name, value]) => `${name}="${value}"`).join('\n'),
      onConflict: client.choose(['fail', 'skip', 'upsert']),
    },
  });
  await client.ask(sent);
}

/** Nothing of a file that cannot be read may come back, or be stored. */
async function importBroken(client: Client): Promise<void> {
  const [good, bad] = [client.world.secretText(), client.world.secretText()];
  const content = client.choose([
    `OK=${good}\nBAD LINE ${bad}`,
    `A='${bad}\nB=${good}`,
    `A=${good}\nA=${bad}`,
  ]);
  await client.ask(
    client.request('POST', '/secrets/import', {
      body: {
        format: client.choose(['env', 'json']),
        namespace: client.namespace(),
        content,
        onConflict: 'skip',
      },
    }),
  );
}

async function repeat(client: Client): Promise<void> {
  const earlier = client.pick(client.team.sent);
  if (earlier !== undefined) await client.ask(earlier);
}

async function repeatAltered(client: Client): Promise<void> {
  const earlier = client.pick(client.team.sent);
  if (earlier?.path !== '/secrets') return;
  await client.ask({ ...earlier, body: { ...earlier.body, value: client.world.secretText() } });
}

/** The same request for another tenant's secret and for one that nobody has: see `check-tenants.ts`. */
async function probe(client: Client): Promise<void> {
  const token = client.token();
  const shape = client.below(PROBES.length);
  for (const { id } of [client.foreignSecret(), client.absentSecret()]) {
    const [method, path, body] = PROBES[shape]?.(id) ?? ['GET', `/secrets/${id}`];
    await client.ask(client.request(method, path, body === undefined ? {} : { body }, token));
  }
}

type Probe = (
  id: string,
) => readonly ['GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string, { readonly [name: string]: unknown }?];

const PROBES: readonly Probe[] = [
  (id) => ['GET', `/secrets/${id}`],
  (id) => ['POST', `/secrets/${id}/reveal`, {}],
  (id) => ['PATCH', `/secrets/${id}`, { tags: ['foreign'] }],
  (id) => ['PUT', `/secrets/${id}/value`, { value: 'foreign' }],
  (id) => ['DELETE', `/secrets/${id}`],
  (id) => ['POST', `/secrets/${id}/restore`],
  (id) => ['GET', `/secrets/${id}/versions`],
  (id) => ['POST', `/secrets/${id}/rollback`, { version: 1 }],
];

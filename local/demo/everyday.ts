import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient, StoryError } from './client.ts';
import { shortened, table } from './narrator.ts';
import type { Stage } from './stage.ts';

export interface Secret {
  readonly id: string;
  readonly name: string;
  readonly version: number;
}

interface Revealed extends Secret {
  readonly value: string;
}

interface Problem {
  readonly code: string;
  readonly detail: string;
}

const ENV_FILE = 'acme.env';
const CREDENTIALS = 12;
const CHOSEN = 'DATABASE_URL';

/** A team moves its `.env` file in and lists what is there. Gives the secret that the later scenes are about. */
export async function moveIn({ scene, say, owner, namespace }: Stage): Promise<Secret> {
  scene(`A team moves its ${ENV_FILE} into the vault`);
  const content = await readFile(join(import.meta.dirname, ENV_FILE), 'utf8');
  const { json: imported } = await owner.expect<{ readonly created: number }>(
    200,
    'POST',
    '/secrets/import',
    {
      json: { format: 'env', namespace, content },
    },
  );
  say(`POST /secrets/import: ${imported.created} secrets in the namespace ${namespace}`);
  if (imported.created !== CREDENTIALS) {
    throw new StoryError(`The import made ${imported.created} secrets of ${CREDENTIALS} credentials.`);
  }

  scene('Listing shows what there is, and no values');
  const { json: list, text } = await owner.expect<{ readonly items: readonly Secret[] }>(
    200,
    'GET',
    `/secrets?namespace=${namespace}`,
  );
  say(...table(list.items.map(({ name, version, id }) => [name, `version ${version}`, id])));
  if (/"value"\s*:/.test(text)) throw new StoryError('The list holds values.');
  const chosen = list.items.find(({ name }) => name === CHOSEN);
  if (chosen === undefined) throw new StoryError(`The list lacks ${CHOSEN}.`);
  return chosen;
}

/** One value, then all of them. */
export async function reveal({ scene, say, owner, namespace }: Stage, { id, name }: Secret): Promise<void> {
  scene('Revealing one costs one audit row and one kms:Decrypt, in this order');
  const { json: one } = await owner.expect<Revealed>(200, 'POST', `/secrets/${id}/reveal`, { json: {} });
  say(`POST /secrets/${id}/reveal`, `${name} = ${shortened(one.value)}`);

  scene('A program starts and reveals its whole namespace');
  const { json: all } = await owner.expect<{ readonly items: readonly Revealed[] }>(
    200,
    'POST',
    '/secrets/reveal',
    { json: { namespace } },
  );
  say(...table(all.items.map((secret) => [secret.name, shortened(secret.value)])));
  if (all.items.length !== CREDENTIALS) {
    throw new StoryError(`The bulk reveal gave ${all.items.length} values of ${CREDENTIALS}.`);
  }
}

/** A new version is written on the condition that nobody was quicker; the same condition then fails. */
export async function change({ scene, say, owner }: Stage, { id, name }: Secret): Promise<void> {
  const path = `/secrets/${id}/value`;
  const headers = { 'If-Match': '"v1"' };

  scene('Ada changes it, if it is still the version that she saw');
  const json = { value: 'postgres://acme:rocket-sled@db.acme.example:5432/rockets' };
  const written = await owner.expect<Secret>(200, 'PUT', path, { headers, json });
  say(`PUT ${path} with If-Match: "v1"`);
  say(`${name} is at version ${written.json.version} now, ETag ${written.headers.get('etag')}`);

  scene('Bob saw the same version, and comes too late');
  const late = { value: 'postgres://acme:bat-man-suit@db.acme.example:5432/rockets' };
  const { json: lost } = await owner.expect<Problem>(412, 'PUT', path, { headers, json: late });
  say(`PUT ${path} with If-Match: "v1"`, `412 ${lost.code}: ${lost.detail}`);
}

/** A key that may look and not reveal. Gives its id. */
export async function addViewer(
  { scene, say, owner, url, namespace }: Stage,
  { id }: Secret,
): Promise<string> {
  scene('A contractor gets a key that may look, and tries to reveal');
  const { json: made } = await owner.expect<{ readonly id: string; readonly key: string }>(
    201,
    'POST',
    '/api-keys',
    { json: { name: `contractor of ${namespace}`, role: 'viewer', namespaces: [namespace] } },
  );
  const path = `/secrets/${id}/reveal`;
  const { json: denied } = await createClient(url, made.key).expect<Problem>(403, 'POST', path, { json: {} });
  say(`POST ${path}`, `403 ${denied.code}: ${denied.detail}`);
  return made.id;
}

import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Channel, findAlert } from './alerts.ts';
import { type Client, createClient, StoryError } from './client.ts';
import type { Secret } from './everyday.ts';
import { passMinutes, runJob, settle } from './jobs.ts';
import { shortened, table } from './narrator.ts';
import type { Stage } from './stage.ts';

interface MadeKey {
  readonly id: string;
  readonly key: string;
}

/** Somebody with an API key that is not theirs. */
export interface Thief extends Client {
  readonly keyId: string;
}

const DECOY = 'PAYMENTS_MASTER_KEY';
const LEFT_KEY = 'LOCKZERO_ADMIN_KEY';

/** What a production environment often has, and this one has not. */
const GUESSES = [
  'ADMIN_PASSWORD AUTH0_CLIENT_SECRET AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AZURE_CLIENT_SECRET',
  'BACKUP_PASSPHRASE CLOUDFLARE_API_TOKEN DATADOG_API_KEY DOCKER_PASSWORD ENCRYPTION_KEY FTP_PASSWORD',
  'GITHUB_TOKEN GITLAB_TOKEN GOOGLE_CREDENTIALS KAFKA_PASSWORD LDAP_PASSWORD MONGODB_URI MYSQL_PASSWORD',
  'NPM_TOKEN OPENAI_API_KEY PAYPAL_SECRET PGPASSWORD ROOT_PASSWORD SENDGRID_API_KEY SLACK_TOKEN SSH_KEY',
  'TWILIO_AUTH_TOKEN VPN_PASSWORD WEBHOOK_TOKEN ZENDESK_TOKEN',
].flatMap((line) => line.split(' '));
const MINUTES_BETWEEN = 40;

/** Ada expects thieves: a decoy secret, and a honeypot key that lies where only a thief looks. Gives the key's id. */
export async function setTraps({ scene, say, owner, namespace }: Stage): Promise<string> {
  scene('… and sets two traps in the namespace: a decoy, and a honeypot');
  const decoy = { namespace, name: DECOY, value: 'acme-not-a-master-key-7f31', decoy: true };
  const { json: planted } = await owner.expect<Secret>(201, 'POST', '/secrets', { json: decoy });
  say(`POST /secrets, decoy: ${DECOY}, which no program uses`);
  const key = { name: `in the .env of ${namespace}`, role: 'admin', namespaces: ['*'], honeypot: true };
  const { json: honeypot } = await owner.expect<MadeKey>(201, 'POST', '/api-keys', { json: key });
  const left = { namespace, name: LEFT_KEY, value: honeypot.key };
  const { json: other } = await owner.expect<Secret>(201, 'POST', '/secrets', { json: left });
  say(`POST /api-keys, honeypot: ${honeypot.id}`, `POST /secrets: the key lies there as ${LEFT_KEY}`);
  if (!isDeepStrictEqual(Object.keys(planted).sort(), Object.keys(other).sort())) {
    throw new StoryError('A decoy looks different from other secrets.');
  }
  return honeypot.id;
}

/** The key that a deployment works with, in wrong hands. */
export async function stealKey({ scene, say, owner, url, namespace }: Stage): Promise<Thief> {
  scene('The key of a deployment is stolen');
  const json = { name: `deployment of ${namespace}`, role: 'operator', namespaces: [namespace] };
  const { json: made } = await owner.expect<MadeKey>(201, 'POST', '/api-keys', { json });
  say(`POST /api-keys, operator in ${namespace}: ${made.id}`, 'A thief has it now, and nobody knows');
  return { ...createClient(url, made.key), keyId: made.id };
}

/** A name now and then, for most of a day. */
export async function lookAround(stage: Stage, thief: Thief, channel: Channel): Promise<void> {
  const { scene, say, url, namespace } = stage;
  scene('The thief looks around, so slowly that no limit of requests is in the way');
  const [first] = GUESSES;
  for (const name of GUESSES) {
    await thief.expect(404, 'GET', `/namespaces/${namespace}/secrets/${name}/value`);
    await passMinutes(url, MINUTES_BETWEEN);
  }
  say(`GET /namespaces/${namespace}/secrets/${first}/value: 404`);
  say(
    `… and ${GUESSES.length - 1} more such guesses, one every ${MINUTES_BETWEEN} minutes (the demo moves time on)`,
  );

  scene('The anomaly detector, which runs every five minutes, notices');
  const report = await runJob<object>(url, 'anomaly', {});
  say(`The detector's function: ${JSON.stringify(report)}`);
  const subject = `api_key ${thief.keyId}`;
  const alert = await findAlert(stage, 'warning', 'reconnaissance', (each) => each.subject === subject);
  if (alert.detail['pattern'] !== 'slow_missing_names' || alert.rows.length === 0) {
    throw new StoryError('The detector found something else than a slow enumeration.');
  }
  await channel.tells(alert);
}

/** It opens like any other secret, and the answer waits for the alert. */
export async function openDecoy(stage: Stage, thief: Thief, channel: Channel): Promise<void> {
  const { scene, say, namespace } = stage;
  scene('The thief opens what looks best: the decoy. When the answer comes, the alert is there');
  const path = `/namespaces/${namespace}/secrets/${DECOY}/value`;
  const { json } = await thief.expect<{ readonly id: string; readonly value: string }>(200, 'GET', path);
  say(`GET ${path}`, `200, as for any secret: ${shortened(json.value)}`);
  const subject = `secret ${json.id}`;
  const alert = await findAlert(stage, 'critical', 'decoy_revealed', (each) => each.subject === subject);
  if (alert.detail['actorId'] !== thief.keyId) throw new StoryError('The alert does not name the thief.');
  await channel.tells(alert);
}

/** The honeypot answers as a key does that nobody ever made. */
export async function tryHoneypot(
  stage: Stage,
  thief: Thief,
  honeypotId: string,
  channel: Channel,
): Promise<void> {
  const { scene, say, url, namespace } = stage;
  scene('… and finds the key of an admin');
  const path = `/namespaces/${namespace}/secrets/${LEFT_KEY}/value`;
  const { json: found } = await thief.expect<{ readonly value: string }>(200, 'GET', path);
  say(`GET ${path}`, `200: ${found.value.slice(0, 8)}…`);
  const refused = await refusalOf(url, found.value);
  const invented = await refusalOf(url, `lz_${randomBytes(32).toString('base64url')}`);
  const { status, headers } = refused;
  say(`GET /workspace with it: ${status}`);
  if (status !== 401 || !isDeepStrictEqual(refused, invented)) {
    throw new StoryError('The honeypot answers otherwise than an invented key.');
  }
  say(`A key that never was gets the same status, the same ${headers.length} headers and the same body`);
  await settle(url);
  const isMeant = ({ detail }: { detail: Readonly<Record<string, string>> }) =>
    detail['keyId'] === honeypotId;
  await channel.tells(await findAlert(stage, 'critical', 'honeypot_used', isMeant));
}

/** A rotation without overlap ends the stolen key at once, and the log has what was opened with it. */
export async function rotateStolenKey(
  { scene, say, owner, url, namespace }: Stage,
  thief: Thief,
  secret: Secret,
): Promise<string> {
  scene('Ada rotates the stolen key');
  const path = `/secrets/${secret.id}/reveal`;
  await thief.expect(200, 'POST', path, { json: {} });
  say(`POST ${path} by the thief: 200`);
  const rotation = `/api-keys/${thief.keyId}/rotate`;
  const { json: successor } = await owner.expect<MadeKey>(201, 'POST', rotation, {
    json: { overlapSeconds: 0 },
  });
  say(`POST ${rotation} with {"overlapSeconds": 0}: ${successor.id}`);
  await thief.expect(401, 'POST', path, { json: {} });
  say(`POST ${path} by the thief: 401`);
  await createClient(url, successor.key).expect(200, 'POST', path, { json: {} });
  say(`POST ${path} by the deployment, with its new key: 200`);

  scene('What the thief has opened stands in the log. These are the values to change');
  const query = `/audit?actorId=${thief.keyId}&action=secret.revealed&limit=100`;
  const { json: log } = await owner.expect<{
    readonly items: readonly {
      readonly id: string;
      readonly entity: { readonly id: string };
      readonly result: string;
      readonly createdAt: string;
    }[];
  }>(200, 'GET', query);
  const opened = log.items.filter(({ result }) => result === 'success');
  const { json: list } = await owner.expect<{ readonly items: readonly Secret[] }>(
    200,
    'GET',
    `/secrets?namespace=${namespace}&limit=100`,
  );
  const nameOf = (id: string) => list.items.find((each) => each.id === id)?.name ?? id;
  say(
    `GET ${query}`,
    ...table(opened.map(({ id, entity, createdAt }) => [id, createdAt, nameOf(entity.id)])),
  );
  if (opened.length !== 3) throw new StoryError(`The log has ${opened.length} reveals of 3.`);
  return successor.id;
}

interface Refusal {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: unknown;
}

/** An answer without what is different each time: the id of the request, and the time. */
async function refusalOf(url: string, key: string): Promise<Refusal> {
  const answer = await fetch(`${url}/workspace`, { headers: { Authorization: `Bearer ${key}` } });
  const { requestId: _, ...body } = (await answer.json()) as Readonly<Record<string, unknown>>;
  const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id' && name !== 'date');
  return { status: answer.status, headers, body };
}

import { setTimeout } from 'node:timers/promises';
import { openCustomerAccount } from '../customer-account.ts';
import { RESOURCES } from '../environment.ts';
import { findAlert } from './alerts.ts';
import { type Browser, openBrowser } from './browser.ts';
import { StoryError } from './client.ts';
import { passMinutes, runJob, settle } from './jobs.ts';
import type { Stage } from './stage.ts';

interface KeyJson {
  readonly mode: 'vault' | 'customer';
  readonly keyArn: string;
  readonly previousKeyArns: readonly string[];
  readonly usable: boolean | null;
  readonly migration?: { readonly state: string; readonly moved: number; readonly pass: number };
  readonly keyPolicy: readonly { readonly Sid: string; readonly Condition: object }[];
}

interface BulkJson {
  readonly items: readonly unknown[];
  readonly errors: readonly { readonly code: string; readonly detail: string }[];
}

const PATH = '/workspace/encryption-key';
const SECRETS = 40;
/** Reveals of all of them while they are moved: enough to fall before, between and after the slices. */
const READS = 6;
/** Between runs of the job, and after how many of them a migration of a few secrets is done at the latest. */
const STEP_MINUTES = 2;
const MOST_STEPS = 6;

/**
 * A customer's own key wraps the values of the workspace. The customer takes it away, and gives it back. Afterwards the
 * vault's own key wraps them again.
 *
 * @param isOwn whether the vault's time may be moved on.
 */
export async function bringOwnKey(stage: Stage, isOwn: boolean): Promise<void> {
  const { url, aws } = stage;
  const account = openCustomerAccount(aws, RESOURCES.customerAccountId);
  const ada = openBrowser(url);
  try {
    const keyArn = await bring(stage, ada, (statements) => account.createKey(statements));
    await moveWhileReading(stage, ada, keyArn, isOwn);
    await takeAway(stage, keyArn, account);
    await leave(stage, ada);
  } finally {
    account.close();
  }
}

async function bring(
  { scene, say, ownerLogin, namespace, owner }: Stage,
  ada: Browser,
  createKey: (statements: readonly unknown[]) => Promise<string>,
): Promise<string> {
  scene('Acme wants its secrets to lie under a key of its own, in its own account');
  const content = JSON.stringify(
    Object.fromEntries(
      Array.from({ length: SECRETS }, (_, index) => [`DEVICE_${index + 1}`, `pin-${index}`]),
    ),
  );
  const json = { format: 'json', namespace: ownNamespace(namespace), content, onConflict: 'fail' };
  await owner.expect(200, 'POST', '/secrets/import', { json });
  await logIn(ownerLogin, ada);
  // Keys of earlier tellings, if nothing lies under them any more.
  await ada.send('DELETE', `${PATH}/previous`);
  const before = await ada.expect<KeyJson>(200, 'GET', PATH);
  say(`GET ${PATH}: ${before.keyArn}, the vault's own`);
  say(`It has what the policy must say: ${before.keyPolicy.map(({ Sid }) => Sid).join(', ')}`);

  const open = await createKey(before.keyPolicy.map(withoutConditions));
  const refused = await ada.send<{ readonly errors?: readonly { readonly reason: string }[] }>('PUT', PATH, {
    keyArn: open,
  });
  say(`PUT ${PATH} with a key whose policy has no conditions`, `${refused.status} ${refused.json.code}:`);
  for (const { reason } of refused.json.errors ?? []) say(`- it ${reason}`);
  if (refused.status !== 422) throw new StoryError('A key that is open to every workspace was taken.');

  const keyArn = await createKey(before.keyPolicy);
  const after = await ada.expect<KeyJson>(200, 'PUT', PATH, { keyArn });
  if (after.keyArn !== keyArn) throw new StoryError('The key was taken, and another one wraps.');
  say(`PUT ${PATH} with one that has the statements as they are: 200, ${keyArn}`);
  return keyArn;
}

async function moveWhileReading(stage: Stage, ada: Browser, keyArn: string, isOwn: boolean): Promise<void> {
  const { scene, say, url } = stage;
  scene('All that is there moves under that key, and nobody who reads notices');
  const [read] = await Promise.all([readAll(stage, READS), runJob(url, 'rewrapper', {})]);
  const { migration } = await ada.expect<KeyJson>(200, 'GET', PATH);
  say(`Meanwhile ${read} reveals, none of which failed`);
  say(`GET ${PATH}: ${migration?.moved} versions moved, ${migration?.state}`);
  if (!isOwn) {
    say('It is done after a pass that finds nothing more, some minutes from its beginning.');
    return;
  }
  const minutes = await finishMigration(url);
  await logIn(stage.ownerLogin, ada);
  const after = await ada.expect<KeyJson>(200, 'GET', PATH);
  say(`${minutes} minutes later a whole pass has found nothing more: ${after.migration?.state}`);
  if (after.migration?.state !== 'done') throw new StoryError('The migration is not done.');
  const retired = await ada.expect<KeyJson>(200, 'DELETE', `${PATH}/previous`);
  say(`DELETE ${PATH}/previous: what remains is ${retired.keyArn}`);
  if (retired.previousKeyArns.length > 0 || retired.keyArn !== keyArn) {
    throw new StoryError('The earlier key was not given up.');
  }
}

/** Runs the job as its schedule would, until no migration is open; gives the minutes that it took. */
async function finishMigration(url: string): Promise<number> {
  for (let step = 1; step <= MOST_STEPS; step += 1) {
    await passMinutes(url, STEP_MINUTES);
    const { open } = await runJob<{ readonly open: number }>(url, 'rewrapper', {});
    if (open === 0) return step * STEP_MINUTES;
  }
  throw new StoryError('The migration does not end.');
}

async function takeAway(
  stage: Stage,
  keyArn: string,
  account: ReturnType<typeof openCustomerAccount>,
): Promise<void> {
  const { scene, say, owner, url, namespace } = stage;
  scene('Acme disables its key. It asks nobody');
  await account.disable(keyArn);
  const path = `/namespaces/${ownNamespace(namespace)}/secrets/DEVICE_1/value`;
  const { json: problem } = await owner.expect<{ readonly code: string; readonly detail: string }>(
    503,
    'GET',
    path,
  );
  say(`GET ${path}`, `503 ${problem.code}: ${problem.detail}`);
  if (problem.code !== 'key_unavailable') throw new StoryError('The answer does not say why.');
  const { json: list } = await owner.expect<{ readonly items: readonly unknown[] }>(
    200,
    'GET',
    `/secrets?namespace=${ownNamespace(namespace)}&limit=100`,
  );
  await owner.expect(200, 'GET', '/audit?limit=1');
  say(`GET /secrets?namespace=${ownNamespace(namespace)}: all ${list.items.length} are still listed`);
  say('GET /audit: tells who did what, as before');
  await settle(url);
  await findAlert(stage, 'critical', 'key_unavailable', ({ subject }) => subject.includes(keyArn));

  scene('And enables it again');
  await account.enable(keyArn);
  say(`Nothing is lost: ${await readAll(stage, 1)} reveals, none of which failed`);
}

async function leave({ scene, say, url }: Stage, ada: Browser): Promise<void> {
  scene('The way back is the same, in the other direction');
  const { keyArn } = await ada.expect<KeyJson>(200, 'DELETE', PATH);
  await runJob(url, 'rewrapper', {});
  const { migration, mode } = await ada.expect<KeyJson>(200, 'GET', PATH);
  say(`DELETE ${PATH}: ${keyArn}; ${migration?.moved} versions moved back`);
  if (mode !== 'vault') throw new StoryError('The workspace did not return to the vault’s own key.');
}

/** Reveals all of them, so many times. Throws StoryError if a single one fails. */
async function readAll({ owner, namespace }: Stage, times: number): Promise<number> {
  let read = 0;
  for (let time = 0; time < times; time += 1) {
    const { json } = await owner.expect<BulkJson>(200, 'POST', '/secrets/reveal', {
      json: { namespace: ownNamespace(namespace) },
    });
    const [failed] = json.errors;
    if (failed !== undefined) throw new StoryError(`A reveal failed, ${failed.code}: ${failed.detail}`);
    read += json.items.length;
  }
  return read;
}

function ownNamespace(namespace: string): string {
  return `${namespace}-devices`;
}

/** Ada logs in and proves who she is: only then may she change the key, and for five minutes. */
async function logIn(login: Stage['ownerLogin'], ada: Browser): Promise<void> {
  const first = await ada.send('POST', '/auth/login', login);
  if (first.status !== 200) {
    // Whoever tells the story again and again comes to the limit of logins from one address.
    await setTimeout((first.retryAfter ?? 0) * 1000);
    await ada.expect(200, 'POST', '/auth/login', login);
  }
  await ada.expect(200, 'POST', '/auth/step-up', { password: login.password });
}

function withoutConditions(statement: KeyJson['keyPolicy'][number]): object {
  const { Condition: _, ...rest } = statement;
  return rest;
}

import { DRAIN_MS, LIST_LAG_MS } from '../../../core/encryption-keys/migration-parts.ts';
import { deleteSecret } from '../../../core/secrets/delete-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { restoreSecret } from '../../../core/secrets/restore-secret.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { rowsOf } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { type Migrating, migrating } from './migrating.ts';

let world: Migrating;
let key: string;
beforeEach(async () => {
  world = await migrating();
  key = await world.vault.newCustomerKey(world.workspaceId);
});
afterEach(async () => {
  expect(await brokenWorkspaces(world.vault)).toEqual({});
});

const names = (count: number) => Array.from({ length: count }, (_, index) => `name-${index}`);
const rows = () => rowsOf(world.vault, world.workspaceId);
const advance = (milliseconds: number) => world.vault.clock.advance(milliseconds);

it('moves every version, deleted secrets’ too, and all stay readable', async () => {
  const ids = await world.create(...names(23));
  const [first = '', second = ''] = ids;
  for (let version = 2; version <= 25; version += 1)
    await putValue(world.vault, world.owner, first, `version ${version}`);
  await deleteSecret(world.vault, world.owner, second);
  await world.change(key);
  expect(await world.finish()).toBe(23 + 24);
  expect(world.wrappings()).toEqual({ [key]: 47 });
  expect(await world.migration()).toMatchObject({ state: 'done', moved: 47, pass: 2, keyArn: key });
  expect(await world.reveal(first)).toBe('version 25');
  const last = ids.at(-1) ?? '';
  expect(await world.reveal(last)).toBe('value of name-22');
  expect(world.alerts).toEqual([]);
});

it('never decrypts, and asks the key service once for each version', async () => {
  await world.create(...names(30));
  world.vault.keys.calls.length = 0;
  await world.change(key);
  await world.finish();
  expect(world.vault.keys.calls).toEqual(Array.from({ length: 30 }, () => 'reEncrypt'));
});

it('needs a transaction for 20 versions, with a row that says how many', async () => {
  await world.create(...names(45));
  await world.change(key);
  const before = rows().length;
  await world.run();
  const told = rows().slice(before);
  expect(told.map(({ action, detail }) => [action, detail['count']])).toEqual([
    ['encryption_key.versions_rewrapped', '20'],
    ['encryption_key.versions_rewrapped', '20'],
    ['encryption_key.versions_rewrapped', '5'],
    ['encryption_key.versions_rewrapped', '0'],
  ]);
  expect(told[0]).toMatchObject({
    actor: { type: 'system', id: 'rewrapper' },
    entity: { type: 'workspace', id: world.workspaceId },
    detail: { keyArn: key, pass: '1' },
  });
  expect(told[0]?.changes).toHaveLength(21);
});

it('goes on where it was when its time was up, and says how far it is', async () => {
  await world.create(...names(30));
  await world.change(key);
  let asked = 0;
  const first = await world.run(() => ++asked < 8);
  expect(first).toEqual({ status: 'moving', moved: 7 });
  expect(await world.migration()).toMatchObject({ state: 'moving', moved: 7, passMoved: 7, passLooked: 7 });
  expect(await world.run()).toEqual({ status: 'waiting', moved: 23 });
  expect(world.wrappings()).toEqual({ [key]: 30 });
});

it('goes on within a secret that has more versions than it had time for', async () => {
  const [id = ''] = await world.create('a', 'b');
  for (let version = 2; version <= 70; version += 1)
    await putValue(world.vault, world.owner, id, `version ${version}`);
  await world.change(key);
  let asked = 0;
  expect(await world.run(() => ++asked < 3)).toEqual({ status: 'moving', moved: 40 });
  let reads = 0;
  world.vault.tables.faults = async ({ name }) => {
    if (name === 'store.listChildren') reads += 1;
    return 'none';
  };
  expect(await world.run()).toEqual({ status: 'waiting', moved: 31 });
  // The other half of the one, and the other one.
  expect(reads).toBe(2 + 1);
  expect(world.wrappings()).toEqual({ [key]: 71 });
  expect(await world.migration()).toMatchObject({ passLooked: 2, moved: 71 });
});

it('begins a secret from its newest version where another one took its place in the list', async () => {
  const [id = ''] = await world.create('b');
  for (let version = 2; version <= 50; version += 1)
    await putValue(world.vault, world.owner, id, `version ${version}`);
  await world.change(key);
  let asked = 0;
  await world.run(() => ++asked < 2);
  await world.create('a');
  await world.finish();
  expect(world.wrappings()).toEqual({ [key]: 51 });
  expect(await world.reveal(id)).toBe('version 50');
});

it('does nothing without time, or without a migration', async () => {
  await world.create('a');
  expect(await world.run()).toEqual({ status: 'done', moved: 0 });
  await world.change(key);
  expect(await world.run(() => false)).toEqual({ status: 'moving', moved: 0 });
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 1 });
});

it('waits for lists between the two of a pass, and for the end of what was under way before the last pass', async () => {
  await world.create('a');
  await world.change(key);
  const started = Date.parse((await world.migration()).startedAt);
  expect(await world.run()).toMatchObject({ status: 'waiting' });
  expect(await world.migration()).toMatchObject({ position: { list: 'deleted' } });
  advance(LIST_LAG_MS - 1);
  expect(await world.run()).toMatchObject({ status: 'waiting' });
  expect(await world.migration()).toMatchObject({ position: { list: 'deleted' } });
  advance(1);
  await world.run();
  const { notBefore = '', position } = await world.migration();
  expect({ position, notBefore: Date.parse(notBefore) }).toEqual({
    position: { list: 'over' },
    notBefore: started + DRAIN_MS,
  });
  advance(DRAIN_MS);
  await world.run();
  expect(await world.migration()).toMatchObject({ pass: 2, passMoved: 0, position: { list: 'deleted' } });
  advance(LIST_LAG_MS);
  expect(await world.run()).toEqual({ status: 'done', moved: 0 });
  expect(rows().at(-1)).toMatchObject({
    action: 'encryption_key.migration_completed',
    detail: { moved: '1' },
  });
});

it('has two rows for a pass that moves nothing', async () => {
  await world.create(...names(3));
  await world.change(key);
  await world.finish();
  const before = rows().length;
  await world.change(VAULT_KEY_ARN);
  await world.change(key);
  expect(await world.finish()).toBe(0);
  expect(rows().length - before).toBe(2 + 2 * 2);
});

it('takes values back in the middle, and forth again', async () => {
  await world.create(...names(30));
  await world.change(key);
  let asked = 0;
  await world.run(() => ++asked < 25);
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 6, [key]: 24 });
  await world.change(VAULT_KEY_ARN);
  expect(await world.finish()).toBe(24);
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 30 });
  await world.change(key);
  expect(await world.finish()).toBe(30);
});

it('makes one more pass where a secret was restored during the last one, and slipped past it', async () => {
  const [id = ''] = await world.create('a');
  await deleteSecret(world.vault, world.owner, id);
  await world.change(key);
  advance(DRAIN_MS);
  await world.run();
  expect(await world.migration()).toMatchObject({ pass: 1, position: { list: 'deleted' } });
  await restoreSecret(world.vault, world.owner, id);
  advance(LIST_LAG_MS);
  expect(await world.run()).toMatchObject({ status: 'waiting' });
  expect(world.wrappings()).toEqual({ [VAULT_KEY_ARN]: 1 });
  expect(await world.migration()).toMatchObject({
    pass: 1,
    passDisturbed: false,
    position: { list: 'over' },
  });
  expect(await world.finish()).toBe(1);
  expect(world.wrappings()).toEqual({ [key]: 1 });
});

it('is not held up by who restores again and again what was moved already', async () => {
  const [id = ''] = await world.create('a', 'b');
  for (let version = 2; version <= 25; version += 1)
    await putValue(world.vault, world.owner, id, `version ${version}`);
  await world.change(key);
  advance(DRAIN_MS);
  for (let round = 0; round < 4; round += 1) {
    await deleteSecret(world.vault, world.owner, id);
    await world.run();
    await restoreSecret(world.vault, world.owner, id);
    advance(LIST_LAG_MS);
  }
  expect(await world.migration()).toMatchObject({ state: 'done' });
  expect(world.wrappings()).toEqual({ [key]: 26 });
});

import { systemOrigin } from '../../../core/audit/lane-start.ts';
import type { EncryptionContext } from '../../../core/crypto/key-service.ts';
import { update } from '../../../core/kernel/entity.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { type Workspace, workspaceKind } from '../../../core/workspaces/workspace.ts';
import { API_ROLE } from '../../support/call-log.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { type ReconciliationWorld, reconciliationWorld } from '../../support/reconciliation-world.ts';
import { Tamperer } from '../../support/tamper.ts';

const CUSTOMERS = 'arn:aws:kms:us-east-1:111122223333:key/customers';
const EARLIER = 'arn:aws:kms:us-east-1:111122223333:key/earlier';
const FOREIGN = 'arn:aws:kms:us-east-1:999999999999:key/foreign';
const SYNCER = 'arn:aws:iam::000000000000:role/lockzero-syncer';

let world: ReconciliationWorld;
beforeEach(async () => {
  world = await reconciliationWorld();
});

/** The workspace names its keys, as after a change of them. */
async function nameKeys(patch: Pick<Partial<Workspace>, 'encryptionKey' | 'previousKeyArns'>): Promise<void> {
  const { store, trail } = world.vault;
  const workspace = await store.get(workspaceKind, world.workspaceId, world.workspaceId);
  if (workspace === undefined) throw new Error('There is no workspace.');
  await trail.commit(systemOrigin(world.workspaceId, 'test'), [
    {
      action: 'workspace.updated',
      entity: { type: 'workspace', id: world.workspaceId },
      result: 'success',
      changes: [update(workspaceKind, workspace, patch)],
    },
  ]);
}

async function writeRow(
  action: 'encryption_key.proof_started' | 'encryption_key.versions_rewrapped' | 'encryption_key.changed',
  detail: { readonly [name: string]: string },
  result: 'success' | 'failure' = 'success',
): Promise<void> {
  const entity = { type: 'workspace', id: world.workspaceId };
  await world.vault.trail.commit(systemOrigin(world.workspaceId, 'test'), [
    { action, entity, result, detail },
  ]);
}

async function outcome() {
  const [result] = await world.nextMorning();
  if (result === undefined) throw new Error('There is no result.');
  return result.outcome;
}

const told = () =>
  world.alerts.map(({ kind, workspaceId, detail }) => [kind, workspaceId, detail['movedTo']]);

describe('a value that was moved', () => {
  it.each([
    ['to the key of its workspace', CUSTOMERS],
    ['back to the key that its workspace had before', EARLIER],
  ])('%s is explained, and counted', async (_, keyArn) => {
    const id = await world.secret();
    await nameKeys({
      encryptionKey: { keyArn: CUSTOMERS, since: '2026-01-01T12:00:00.000Z' },
      previousKeyArns: [EARLIER],
    });
    world.moveByHand(keyArn, world.contextOf(id));
    world.moveByHand(keyArn, world.contextOf(id), { principal: API_ROLE });
    expect(await outcome()).toMatchObject({ calls: 2, moved: 2, contexts: 1, withoutRow: 0, byStrangers: 0 });
    expect(world.alerts).toEqual([]);
  });

  it('to the key of the deployment is explained where the workspace has none of its own', async () => {
    const id = await world.secret();
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(id));
    expect(await outcome()).toMatchObject({ calls: 1, moved: 1, withoutRow: 0 });
    expect(world.alerts).toEqual([]);
  });

  it('from the key of its workspace to the one of the deployment, out of the customer’s reach, is told', async () => {
    const id = await world.secret();
    await nameKeys({ encryptionKey: { keyArn: CUSTOMERS, since: '2026-01-01T12:00:00.000Z' } });
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(id));
    expect(await outcome()).toMatchObject({ moved: 1, withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', world.workspaceId, VAULT_KEY_ARN]]);
  });

  it('from the key of a tenant of a whole deployment to the vault’s own is told', async () => {
    Object.assign(world.parts, {
      deploymentKeys: { own: VAULT_KEY_ARN, values: CUSTOMERS, allOwn: [VAULT_KEY_ARN, EARLIER] },
    });
    const id = await world.secret();
    for (const keyArn of [CUSTOMERS, VAULT_KEY_ARN, EARLIER]) world.moveByHand(keyArn, world.contextOf(id));
    expect(await outcome()).toMatchObject({ moved: 3, withoutRow: 2 });
  });

  it('to a key that the workspace dropped since is explained by the rows of that day', async () => {
    const id = await world.secret();
    world.moveByHand(CUSTOMERS, world.contextOf(id));
    await writeRow('encryption_key.versions_rewrapped', { keyArn: CUSTOMERS, count: '1' });
    expect(await outcome()).toMatchObject({ moved: 1, withoutRow: 0 });
  });

  it('needs no row of its own, and uses up none', async () => {
    const id = await world.secret();
    await revealSecret(world.vault, world.owner, { id });
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(id));
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(id));
    expect(await outcome()).toMatchObject({ calls: 3, moved: 2, withoutRow: 0 });
    expect(world.alerts).toEqual([]);
  });

  it('to a key that nobody of the vault knows is told to its workspace, with the key', async () => {
    const id = await world.secret();
    world.moveByHand(FOREIGN, world.contextOf(id));
    expect(await outcome()).toMatchObject({ moved: 1, withoutRow: 1, byStrangers: 0 });
    expect(told()).toEqual([['decrypt_without_row', world.workspaceId, FOREIGN]]);
    expect(world.alerts[0]).toMatchObject({ tier: 'critical', subject: `secret ${id} version 1` });
  });

  it('to a key that the workspace wanted and was refused is told', async () => {
    const id = await world.secret();
    await writeRow('encryption_key.changed', { keyArn: FOREIGN }, 'failure');
    world.moveByHand(FOREIGN, world.contextOf(id));
    expect(await outcome()).toMatchObject({ withoutRow: 1 });
  });

  it('to the key of another workspace is told', async () => {
    const id = await world.secret();
    await nameKeys({ encryptionKey: { keyArn: CUSTOMERS, since: '2026-01-01T12:00:00.000Z' } });
    const other = { ...world.contextOf(id), workspaceId: `ws_${'0'.repeat(32)}` };
    world.moveByHand(CUSTOMERS, other);
    expect(await outcome()).toMatchObject({ withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', PLATFORM_WORKSPACE, CUSTOMERS]]);
  });

  it.each([
    ['another secret', { secretId: `sec_${'f'.repeat(32)}` }],
    ['another version', { version: '7' }],
    ['another workspace', { workspaceId: `ws_${'0'.repeat(32)}` }],
    ['something that is none of the vault’s', { version: 'one' }],
  ])('and became %s by that is told, wherever it lies', async (_, changed) => {
    const id = await world.secret();
    const context = world.contextOf(id);
    const destination = { keyArn: VAULT_KEY_ARN, context: { ...context, ...changed } };
    world.moveByHand(VAULT_KEY_ARN, context, { destination });
    expect(await outcome()).toMatchObject({ moved: 1, withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', world.workspaceId, VAULT_KEY_ARN]]);
  });

  it.each([
    ['a stranger', 'arn:aws:iam::000000000000:user/insider'],
    ['a role that opens values and moves none', SYNCER],
  ])('by %s is told twice', async (_, principal) => {
    const roles = { ...world.parts.roles, decrypting: new Set([API_ROLE, SYNCER]) };
    Object.assign(world.parts, { roles });
    const id = await world.secret();
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(id), { principal });
    expect(await outcome()).toMatchObject({ withoutRow: 1, byStrangers: 1 });
    expect(told().map(([kind]) => kind)).toEqual(['decrypt_without_row', 'decrypt_by_stranger']);
    expect(world.alerts[1]).toMatchObject({ detail: { reason: 'principal', operation: 'ReEncrypt' } });
  });

  it('from something that the vault never made, which plants a value, is told', async () => {
    const id = await world.secret();
    const destination = { keyArn: VAULT_KEY_ARN, context: world.contextOf(id) };
    const planted = { purpose: 'mine' } as unknown as EncryptionContext;
    world.moveByHand(VAULT_KEY_ARN, planted, { destination });
    await outcome();
    expect(world.alerts).toMatchObject([{ kind: 'decrypt_by_stranger', detail: { reason: 'context' } }]);
  });

  it('of a second factor may lie under keys of the deployment alone', async () => {
    await nameKeys({ encryptionKey: { keyArn: CUSTOMERS, since: '2026-01-01T12:00:00.000Z' } });
    const secretId = '11111111-2222-4333-8444-555555555555';
    const context = { workspaceId: PLATFORM_WORKSPACE, secretId, version: '1' };
    world.moveByHand(VAULT_KEY_ARN, context);
    world.moveByHand(CUSTOMERS, context);
    expect(await outcome()).toMatchObject({ moved: 2, withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', PLATFORM_WORKSPACE, CUSTOMERS]]);
  });

  it('of a workspace whose record somebody spoiled is told', async () => {
    const id = await world.secret();
    await nameKeys({ encryptionKey: { keyArn: CUSTOMERS, since: '2026-01-01T12:00:00.000Z' } });
    world.moveByHand(CUSTOMERS, world.contextOf(id));
    const { entity, row } = new Tamperer(world.vault.tables).entity('workspace', world.workspaceId);
    const spoiled = { ...entity, name: 7 } as never;
    world.vault.tables.entities.set(`workspace#${world.workspaceId}#${world.workspaceId}`, {
      entity: spoiled,
      row,
    });
    expect(await outcome()).toMatchObject({ withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', world.workspaceId, CUSTOMERS]]);
  });
});

describe('the roles', () => {
  it('that move values open none: that is told', async () => {
    const id = await world.secret();
    await revealSecret(world.vault, world.owner, { id });
    const principal = 'arn:aws:iam::000000000000:role/lockzero-rewrapper';
    world.decryptPastTheVault(world.contextOf(id), { principal });
    expect(await outcome()).toMatchObject({ moved: 0, withoutRow: 1, byStrangers: 1 });
  });
});

describe('the proof of a key', () => {
  const proof = `sec_${'e'.repeat(32)}`;
  const prove = () => writeRow('encryption_key.proof_started', { keyArn: CUSTOMERS, proof, version: '1' });
  const tryKey = (): void => {
    for (let call = 0; call < 3; call += 1) world.decryptPastTheVault(world.contextOf(proof));
    world.moveByHand(CUSTOMERS, world.contextOf(proof), { principal: API_ROLE });
    world.moveByHand(VAULT_KEY_ARN, world.contextOf(proof), { principal: API_ROLE });
  };

  it('is explained by its row: three openings, and the moves to that key and back', async () => {
    await prove();
    tryKey();
    expect(await outcome()).toMatchObject({ calls: 5, moved: 2, withoutRow: 0 });
    expect(world.alerts).toEqual([]);
  });

  it('by way of the vault’s own key, where the workspace’s is gone, is explained likewise', async () => {
    await nameKeys({ encryptionKey: { keyArn: EARLIER, since: '2026-01-01T12:00:00.000Z' } });
    await prove();
    tryKey();
    expect(await outcome()).toMatchObject({ calls: 5, moved: 2, withoutRow: 0 });
  });

  it('explains no opening more, and nothing without its row', async () => {
    tryKey();
    expect(await outcome()).toMatchObject({ withoutRow: 4 });
    await prove();
    tryKey();
    world.decryptPastTheVault(world.contextOf(proof));
    const results = await world.nextMorning();
    expect(results.at(-1)?.outcome).toMatchObject({ calls: 6, withoutRow: 1 });
  });

  it('lets no other value be moved to a key that may have been refused', async () => {
    const id = await world.secret();
    await prove();
    world.moveByHand(CUSTOMERS, world.contextOf(id));
    expect(await outcome()).toMatchObject({ withoutRow: 1 });
    expect(told()).toEqual([['decrypt_without_row', world.workspaceId, CUSTOMERS]]);
  });
});

it('a value that is synced is opened once for each row of it', async () => {
  const id = await world.secret();
  const synced = {
    action: 'secret.synced',
    entity: { type: 'secret', id },
    result: 'success',
    detail: { version: '1' },
  } as const;
  const principal = SYNCER;
  Object.assign(world.parts, {
    roles: { ...world.parts.roles, decrypting: new Set([API_ROLE, SYNCER]) },
  });
  await world.vault.trail.commit(systemOrigin(world.workspaceId, 'syncer'), [synced]);
  world.decryptPastTheVault(world.contextOf(id), { principal });
  world.decryptPastTheVault(world.contextOf(id), { principal });
  expect(await outcome()).toMatchObject({ calls: 2, withoutRow: 1, byStrangers: 0 });
});

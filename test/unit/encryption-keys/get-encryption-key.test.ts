import { getEncryptionKey } from '../../../core/encryption-keys/get-encryption-key.ts';
import { unavailable } from '../../../core/kernel/errors.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { revealSecret } from '../../../core/secrets/reveal-secret.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type KeyWorld, keyWorld } from '../../support/key-world.ts';
import { boundTo } from '../../support/memory-customer-keys.ts';
import { VAULT_KEY_ARN } from '../../support/memory-keys.ts';
import { alertsOf, showRows } from '../../support/raised-alerts.ts';

const PATH = '/workspace/encryption-key';

function ask({ vault, installed }: KeyWorld, method: string, path: string) {
  return callApi(vault, { method, path, token: installed.token });
}

describe('looking at the key', () => {
  it('shows that of the vault, and what the policy of another one has to say', async () => {
    const world = await keyWorld();
    const answer = await ask(world, 'GET', PATH);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({
      mode: 'vault',
      keyArn: VAULT_KEY_ARN,
      usable: true,
      previousKeyArns: [],
      keyPolicy: expect.any(Array),
      cloudFormation: expect.stringContaining(world.workspaceId),
      cli: expect.stringContaining(world.workspaceId),
    });
  });

  it('shows that of the customer, and how far a migration is', async () => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    await world.bring(keyArn);
    const at = '2026-01-01T00:00:00.000Z';
    const counts = { moved: 0, pass: 1, passLooked: 0, passMoved: 0, passBlocked: 0 };
    expect((await ask(world, 'GET', PATH)).json).toMatchObject({
      mode: 'customer',
      keyArn,
      since: at,
      previousKeyArns: [VAULT_KEY_ARN],
      migration: { state: 'moving', reason: 'workspace', startedAt: at, ...counts },
    });
    await world.endMigration();
    const ended = { migration: { state: 'done', finishedAt: at } };
    expect((await ask(world, 'GET', PATH)).json).toMatchObject(ended);
  });

  it('leaves its row, and that of the trial, before the first call', async () => {
    const world = await keyWorld();
    const { vault } = world;
    const trail = { commit: async () => Promise.reject(unavailable('The trail is down.')) };
    const unseen = getEncryptionKey({ ...vault, trail }, world.owner);
    await expect(unseen).rejects.toMatchObject({ code: 'unavailable' });
    expect(vault.keys.calls).toEqual([]);
    vault.keys.attempts = 2;
    await getEncryptionKey(vault, world.owner);
    expect(world.lastRow()).toMatchObject({ action: 'key.decrypt_retried', detail: { attempts: '2' } });
    expect(world.rows('encryption_key.read')).toHaveLength(1);
    expect(world.rows('encryption_key.proof_started')).toHaveLength(1);
    expect(world.isAllZeroed()).toBe(true);
  });

  it.each([
    ['is gone', (world: KeyWorld, keyArn: string) => void world.vault.keys.unusable.add(keyArn), false],
    [
      'opens nothing any more, though it seals',
      ({ vault, workspaceId }: KeyWorld, keyArn: string) =>
        void vault.keys.add(
          keyArn,
          (use, context) => use !== 'Decrypt' && boundTo(workspaceId)(use, context),
        ),
      false,
    ],
    [
      'cannot be asked about',
      ({ vault }: KeyWorld) => {
        vault.keys.generateDataKey = async () => Promise.reject(unavailable('The key service is down.'));
      },
      null,
    ],
    [
      'answers too late',
      ({ vault }: KeyWorld) => {
        const { generateDataKey } = vault.keys;
        vault.keys.generateDataKey = (...args) => {
          vault.clock.advance(10_000);
          return generateDataKey.apply(vault.keys, args);
        };
      },
      null,
    ],
  ])('works when the key %s', async (_, happen, usable) => {
    const world = await keyWorld();
    const keyArn = await world.newKey();
    await world.bring(keyArn);
    happen(world, keyArn);
    const answer = await ask(world, 'GET', PATH);
    expect(answer).toMatchObject({ status: 200, json: { keyArn, usable } });
    expect(world.isAllZeroed()).toBe(true);
  });
});

it('a key that its owner takes away closes every value at once, and nothing else; back again, it opens them', async () => {
  const world = await keyWorld();
  const { vault, owner, workspaceId } = world;
  const keyArn = await world.newKey();
  await world.bring(keyArn);
  const { id } = await createSecret(vault, owner, { namespace: 'prod', name: 'a', value: 'v' });
  await revealSecret(vault, owner, { id });

  vault.keys.unusable.add(keyArn);
  const refused = await ask(world, 'POST', `/secrets/${id}/reveal`);
  expect([refused.status, problemCode(refused)]).toEqual([503, 'key_unavailable']);
  for (const path of ['/secrets', `/secrets/${id}`, '/audit', PATH])
    expect(await ask(world, 'GET', path)).toMatchObject({ status: 200 });
  await showRows(vault);
  expect(await alertsOf(vault, workspaceId)).toContainEqual(
    expect.objectContaining({ alertKind: 'key_unavailable', tier: 'critical', subject: `key ${keyArn}` }),
  );

  vault.keys.unusable.delete(keyArn);
  expect(await revealSecret(vault, owner, { id })).toMatchObject({ value: 'v' });
});

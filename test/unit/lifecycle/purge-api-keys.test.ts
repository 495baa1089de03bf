import type { RequestContext } from '../../../core/access/principal.ts';
import { apiKeyKind } from '../../../core/identity/api-key.ts';
import { revokeApiKey } from '../../../core/identity/revoke-api-key.ts';
import { timestamp } from '../../../core/kernel/timestamps.ts';
import { ENDED_KEY_MS, purgeApiKeys } from '../../../core/lifecycle/purge-api-keys.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { installedVault, type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { purgeParts, removedBy } from './removed.ts';

let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  ({ workspaceId } = owner.principal);
});
afterEach(async () => {
  vault.tables.faults = async () => 'none';
  vault.tables.answers = async () => undefined;
  expect(await brokenWorkspaces(vault)).toEqual({});
});

const purge = () => purgeApiKeys(purgeParts(vault), workspaceId);
const isThere = async (id: string): Promise<boolean> =>
  (await vault.store.get(apiKeyKind, workspaceId, id)) !== undefined;
const now = () => timestamp(vault.clock.now());

it('a revoked key goes 30 days after its revocation and not a millisecond before, with a row', async () => {
  const { id, token } = await addKey(vault, workspaceId, { role: 'viewer' });
  await revokeApiKey(vault, owner, id);
  vault.clock.advance(ENDED_KEY_MS);
  expect([await purge(), await isThere(id)]).toEqual([0, true]);
  vault.clock.advance(1);
  expect(await removedBy(vault, purge)).toEqual(['apiKey']);
  expect(await isThere(id)).toBe(false);
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
    action: 'api_key.purged',
    actor: { type: 'system', id: 'purge' },
    entity: { type: 'api_key', id },
  });
  expect((await callApi(vault, { method: 'GET', path: '/secrets', token })).status).toBe(401);
  expect(await purge()).toBe(0);
});

it('a key that ended twice counts from the first end', async () => {
  const { id } = await addKey(vault, workspaceId, { role: 'viewer', expiresAt: now() });
  vault.clock.advance(20 * 24 * 60 * 60_000);
  await revokeApiKey(vault, owner, id);
  vault.clock.advance(10 * 24 * 60 * 60_000 + 1);
  expect([await purge(), await isThere(id)]).toEqual([1, false]);
});

it('keys that work stay, and so do honeypots until they are revoked', async () => {
  const { id: works } = await addKey(vault, workspaceId, { role: 'viewer' });
  const { id: trap } = await addKey(vault, workspaceId, { role: 'owner', honeypot: true, expiresAt: now() });
  const { id: revoked } = await addKey(vault, workspaceId, {
    role: 'owner',
    honeypot: true,
    revokedAt: now(),
  });
  vault.clock.advance(2 * ENDED_KEY_MS);
  expect(await purge()).toBe(1);
  expect(await Promise.all([works, trap, revoked].map(isThere))).toEqual([true, true, false]);
});

it('many go slice by slice, and those of another workspace stay', async () => {
  const other = await addWorkspace(vault);
  for (let index = 0; index < 131; index += 1)
    await addKey(vault, workspaceId, { role: 'viewer', revokedAt: now(), createdAt: timestamp(index) });
  await addKey(vault, other, { role: 'viewer', revokedAt: now() });
  vault.clock.advance(2 * ENDED_KEY_MS);
  expect(await removedBy(vault, purge)).toEqual(Array(131).fill('apiKey'));
  expect(await purgeApiKeys(purgeParts(vault), other)).toBe(1);
});

it.each(['before', 'after'] as const)(
  'a run whose append is lost %s it took effect is finished by the next',
  async (fault) => {
    for (let index = 0; index < 90; index += 1)
      await addKey(vault, workspaceId, { role: 'viewer', revokedAt: now(), createdAt: timestamp(index) });
    vault.clock.advance(2 * ENDED_KEY_MS);
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name === 'ledger.append') appends += 1;
      return name === 'ledger.append' && appends >= 2 ? fault : 'none';
    };
    await expect(purge()).rejects.toMatchObject({ code: 'unavailable' });
    vault.tables.faults = async () => 'none';
    await purge();
    const keys = [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === 'apiKey');
    expect(keys).toHaveLength(1);
    const purged = rowsOf(vault, workspaceId).filter(({ action }) => action === 'api_key.purged');
    expect(new Set(purged.map(({ entity }) => entity.id)).size).toBe(90);
    expect(purged).toHaveLength(90);
  },
);

it('without time it begins nothing', async () => {
  await addKey(vault, workspaceId, { role: 'viewer', revokedAt: now() });
  vault.clock.advance(2 * ENDED_KEY_MS);
  expect(
    await purgeApiKeys(
      purgeParts(vault, () => false),
      workspaceId,
    ),
  ).toBe(0);
});

import type { RequestContext } from '../../../core/access/principal.ts';
import { verifyWorkspace } from '../../../core/audit/verify-workspace.ts';
import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { deleteNamespace } from '../../../core/namespaces/delete-namespace.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { installedVault, type MemoryVault } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';

let vault: MemoryVault;
let owner: RequestContext;
let tamperer: Tamperer;
let secretId: string;
/** After set-up: 4 namespace and 5 secret made, 6 its value written. */
beforeEach(async () => {
  ({ vault, owner } = await installedVault());
  tamperer = new Tamperer(vault.tables);
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  await putValue(vault, owner, secretId, 'v2');
});

const verify = () => verifyWorkspace(vault, owner.principal.workspaceId);
const breaks = async () => (await verify()).breaks;

it('an entity that was edited is named, with the row that last changed it', async () => {
  tamperer.editEntity('secret', secretId, { isCUI: true });
  expect(await breaks()).toEqual([
    { lane: 0, seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } },
  ]);
});

it("a viewer's key made an owner's is found", async () => {
  const { apiKey } = await createApiKey(vault, owner, { name: 'ci', role: 'viewer', namespaces: ['*'] });
  tamperer.editEntity('apiKey', apiKey.id, { role: 'owner' });
  expect(await breaks()).toEqual([
    { lane: 0, seq: 7, reason: 'entity_altered', entity: { kind: 'apiKey', id: apiKey.id } },
  ]);
});

it('a flipped bit of a ciphertext is found', async () => {
  const ciphertext = new Uint8Array(2).fill(9);
  tamperer.editEntity('secretVersion', `${secretId}.1`, { ciphertext });
  expect(await breaks()).toMatchObject([{ seq: 5, reason: 'entity_altered' }]);
});

it('content that fits no schema is found, and does not stop the verifier', async () => {
  tamperer.editEntity('secret', secretId, { role: 'owner' });
  tamperer.editEntity('namespace', 'prod', { state: 'elsewhere' });
  expect(await breaks()).toMatchObject([
    { seq: 4, reason: 'entity_altered', entity: { kind: 'namespace', id: 'prod' } },
    { seq: 6, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } },
  ]);
});

it('an entity that was removed is missed', async () => {
  tamperer.removeEntity('secretName', 'prod/db');
  expect(await breaks()).toEqual([
    { lane: 0, seq: 5, reason: 'entity_missing', entity: { kind: 'secretName', id: 'prod/db' } },
  ]);
});

it('an entity put back to an earlier state, old row and all, is found', async () => {
  const earlier = tamperer.entity('secret', secretId);
  await putValue(vault, owner, secretId, 'v3');
  tamperer.putEntity(earlier.entity, earlier.row);
  expect(await breaks()).toEqual([
    { lane: 0, seq: 7, reason: 'entity_altered', entity: { kind: 'secret', id: secretId } },
  ]);
});

it('an entity that names another row than the one that changed it is found', async () => {
  const { entity } = tamperer.entity('secret', secretId);
  tamperer.putEntity(entity, { lane: 0, seq: 5 });
  expect(await breaks()).toMatchObject([{ seq: 6, reason: 'entity_altered' }]);
});

it('an entity brought back after its removal is found', async () => {
  await createNamespace(vault, owner, { name: 'old' });
  const { entity, row } = tamperer.entity('namespace', 'old');
  await deleteNamespace(vault, owner, 'old');
  expect(await verify()).toMatchObject({ ok: true });
  tamperer.putEntity(entity, row);
  expect(await breaks()).toEqual([
    { lane: 0, seq: 9, reason: 'entity_unexplained', entity: { kind: 'namespace', id: 'old' } },
  ]);
});

it('a record that the table may forget is not missed, but one that was edited is found', async () => {
  await createNamespace(vault, { ...owner, idempotencyKey: 'once' }, { name: 'other' });
  const record = [...vault.tables.entities.values()].find(({ entity }) => entity.kind === 'idempotency');
  if (record === undefined) throw new Error('There is no record.');
  const { id } = record.entity;
  tamperer.editEntity('idempotency', id, { resourceId: 'elsewhere' });
  expect(await breaks()).toMatchObject([{ reason: 'entity_altered', entity: { kind: 'idempotency', id } }]);
  tamperer.removeEntity('idempotency', id);
  expect(await verify()).toMatchObject({ ok: true });
});

it("another workspace's tampering is not this one's break", async () => {
  tamperer.editEntity('secret', secretId, { isCUI: true });
  expect(await verifyWorkspace(vault, 'ws_other')).toMatchObject({ ok: true });
});

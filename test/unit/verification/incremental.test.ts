import type { RequestContext } from '../../../core/access/principal.ts';
import { createSecret } from '../../../core/secrets/create-secret.ts';
import { putValue } from '../../../core/secrets/put-value.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { type VerificationWorld, verificationWorld } from '../../support/verification-world.ts';

let world: VerificationWorld;
let vault: MemoryVault;
let owner: RequestContext;
let workspaceId: string;
let secretId: string;
/** Rows 4 and 5 of lane 0, then the outcome of a complete verification; the next day, a value is written. */
beforeEach(async () => {
  ({ world, vault, owner, workspaceId } = await verificationWorld());
  ({ id: secretId } = await createSecret(vault, owner, { namespace: 'prod', name: 'db', value: 'v1' }));
  await world.seal();
  await world.job();
  await putValue(vault, owner, secretId, 'v2');
  await world.nextDay();
});

const lane = () => ({ workspaceId, lane: 0 });
const incremental = () => world.verify(workspaceId, 'incremental');

it('reads only the rows since the last verification, and the tree over them', async () => {
  const first = rowsOf(vault, workspaceId).find(({ action }) => action === 'audit.verified');
  expect(first?.detail).toMatchObject({ kind: 'complete', treeSize: '5', rows: '5' });
  expect(await incremental()).toMatchObject({ rows: 2, leaves: 2, entities: 2, broken: 0 });
  // Its own outcome.
  expect(await incremental()).toMatchObject({ rows: 1, leaves: 0, broken: 0 });
  expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
    actor: { type: 'system', id: 'verifier' },
    detail: { kind: 'incremental', headSeq: '8', rows: '1', treeSize: '7' },
  });
});

it.each<[string, () => void, object]>([
  [
    'an entity that changed since',
    () => world.tamperer.editEntity('secret', secretId, { isCUI: true }),
    { seq: 7, reason: 'entity_altered' },
  ],
  [
    'a row written since',
    () => world.tamperer.editBytes(lane(), 7, (text) => text.replace('203.0', '192.0'), true),
    { seq: 7, reason: 'log_forked' },
  ],
  ['a row removed since', () => world.tamperer.removeRow(lane(), 7), { seq: 7, reason: 'log_shrunk' }],
  [
    'the row verified last, when it is another now',
    () => world.tamperer.editBytes(lane(), 5, (text) => text.replace('203.0', '192.0'), true),
    { seq: 5, reason: 'log_forked' },
  ],
  [
    'the row verified last, when it is gone',
    () => world.tamperer.removeRow(lane(), 5),
    { seq: 5, reason: 'log_shrunk' },
  ],
])('finds what was done to %s', async (_, tamper, expected) => {
  tamper();
  const { breaks } = await incremental();
  expect(breaks).toContainEqual(expect.objectContaining(expected));
});

it('tells of a break again every day, until it is gone', async () => {
  const { entity, row } = world.tamperer.entity('secret', secretId);
  world.tamperer.editEntity('secret', secretId, { isCUI: true });
  for (const _day of [1, 2, 3]) {
    expect(await incremental()).toMatchObject({ broken: 1, breaks: [{ reason: 'entity_altered' }] });
    await world.nextDay();
  }
  world.tamperer.putEntity(entity, row);
  expect(await incremental()).toMatchObject({ broken: 0, breaks: [] });
});

it('leaves an old edit to the complete verification, which comes every week', async () => {
  await incremental();
  world.tamperer.editBytes(lane(), 4, (text) => text.replace('203.0', '192.0'), true);
  expect(await incremental()).toMatchObject({ broken: 0 });
  const kinds: string[] = [];
  const found: string[] = [];
  for (let day = 1; day <= 7; day += 1) {
    await world.nextDay();
    for (const { workspaceId: id, kind, findings } of await world.job()) {
      if (id !== workspaceId) continue;
      kinds.push(kind);
      found.push(...(findings?.breaks ?? []).map(({ seq, reason }) => `${seq} ${reason}`));
    }
  }
  expect(kinds.filter((kind) => kind === 'complete')).toHaveLength(1);
  expect(kinds).toHaveLength(7);
  expect(found).toContain('5 broken_link');
  expect(found).toContain('4 log_forked');
});

import { addKey, apiWorld } from '../../support/api-world.ts';
import { callApi } from '../../support/call-api.ts';
import { rowKey } from '../../support/memory-ledger.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { Tamperer } from '../../support/tamper.ts';
import { VerificationWorld } from '../../support/verification-world.ts';

let vault: MemoryVault;
let workspaceId: string;
let token: string;
beforeEach(async () => {
  const world = await apiWorld();
  ({ vault } = world);
  workspaceId =
    [...vault.tables.rows.values()].map((row) => row.workspaceId).find((id) => id !== '_platform') ?? '';
  ({ token } = await addKey(vault, workspaceId, { role: 'admin' }));
});

const start = async (json: object = {}) => {
  const answer = await callApi(vault, { method: 'POST', path: '/audit/verifications', json, token });
  return { status: answer.status, body: answer.json as Record<string, unknown> };
};
const get = async (id: unknown, by = token) => {
  const answer = await callApi(vault, { method: 'GET', path: `/audit/verifications/${id}`, token: by });
  return { status: answer.status, body: answer.json as Record<string, unknown> };
};

it('answers at once where little is to be checked', async () => {
  const { status, body } = await start({ kind: 'complete' });
  expect({ status, body }).toMatchObject({
    status: 202,
    body: {
      id: expect.stringMatching(/^ver_[0-9a-f]{32}$/),
      kind: 'complete',
      state: 'done',
      ok: true,
      breakCount: 0,
      startedAt: '2026-01-01T00:00:00.000Z',
      finishedAt: '2026-01-01T00:00:00.000Z',
    },
  });
  expect(body['checkedRows']).toBeGreaterThan(3);
  expect(body).not.toHaveProperty('firstBreak');
  expect(await get(body['id'])).toMatchObject({ status: 200, body: { ...body } });
});

it('tells what is wrong', async () => {
  new Tamperer(vault.tables).editEntity('workspace', workspaceId, { name: 'Forged' });
  const { body } = await start();
  expect(body).toMatchObject({
    kind: 'incremental',
    state: 'done',
    ok: false,
    breakCount: 1,
    firstBreak: { lane: 0, seq: 1, reason: 'entity_altered', entity: { kind: 'workspace', id: workspaceId } },
  });
});

it('carries on by itself where the time is up, and is joined by whoever asks meanwhile', async () => {
  // Each slice takes six seconds.
  vault.tables.faults = async ({ name }) => {
    if (name === 'verifications.replace') vault.clock.advance(3_000);
    return 'none';
  };
  const { body } = await start();
  expect(body).toMatchObject({ kind: 'incremental', state: 'running', ok: true });
  const { id } = body;
  expect((await get(id)).body).toMatchObject({ id, state: 'running' });
  // It becomes a complete one under the same name.
  expect((await start({ kind: 'complete' })).body).toMatchObject({ id, kind: 'complete', state: 'running' });
  expect((await start({ kind: 'incremental' })).body).toMatchObject({ id, kind: 'complete' });
  vault.tables.faults = async () => 'none';
  await new VerificationWorld(vault).job();
  expect((await get(id)).body).toMatchObject({ id, kind: 'complete', state: 'done', ok: true });
});

it('is nothing that another workspace or a stranger to it finds', async () => {
  const { body } = await start();
  const other = await addKey(vault, 'ws_other', { role: 'owner' });
  expect(await get(body['id'], other.token)).toMatchObject({ status: 404 });
  expect(await get('ver_none')).toMatchObject({ status: 404 });
});

it('both are recorded', async () => {
  const { body } = await start();
  await get(body['id']);
  const rows = rowsOf(vault, workspaceId).slice(-3);
  expect(rows).toMatchObject([
    { action: 'audit.verification_started', entity: { type: 'verification', id: body['id'] } },
    { action: 'audit.verified', actor: { type: 'system', id: 'verifier' } },
    { action: 'audit.verification_read', detail: { state: 'done' } },
  ]);
});

it('POST /audit/verify refuses what one request cannot verify, and names the lighter check', async () => {
  const [row] = vault.tables.lane({ workspaceId, lane: 0 });
  if (row === undefined) throw new Error('There is no row.');
  const far = { ...row, seq: 100_001 };
  vault.tables.rows.set(rowKey(far, far.seq), far);
  const answer = await callApi(vault, { method: 'POST', path: '/audit/verify', json: {}, token });
  expect(answer.status).toBe(409);
  expect(JSON.parse(answer.text ?? '')).toMatchObject({
    code: 'log_too_large',
    detail: expect.stringContaining('POST /audit/verifications'),
  });
});

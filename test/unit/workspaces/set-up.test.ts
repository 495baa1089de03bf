import { authenticate } from '../../../core/identity/authenticate.ts';
import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { createNamespace } from '../../../core/namespaces/create-namespace.ts';
import { type SetUpResult, setUp } from '../../../core/workspaces/set-up.ts';
import { headerCredentials } from '../../support/header-credentials.ts';
import {
  CALLER,
  callerWith,
  type MemoryVault,
  memoryVault,
  rowsOf,
  SETUP_TOKEN,
} from '../../support/memory-vault.ts';
import { verified } from '../../support/verified.ts';

let vault: MemoryVault;
/** What Secrets Manager holds now. */
let token: string;
beforeEach(() => {
  vault = memoryVault();
  token = SETUP_TOKEN;
});

const instance = (at: MemoryVault) => ({ ...at, setupToken: async () => token });
const run = (setupToken: string, at = vault): Promise<SetUpResult> =>
  setUp(instance(at), { setupToken, workspaceName: 'Acme' }, CALLER);
const refused = { code: 'setup_refused' };
const stored = (kind: string) =>
  [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === kind);

it('makes the first workspace, its owner key and its rows in one commit', async () => {
  const made = await run(SETUP_TOKEN);
  expect(made).toMatchObject({ workspaceName: 'Acme', recovered: false, apiKey: { role: 'owner' } });
  expect(made.workspaceId).toMatch(/^ws_[0-9a-f]{32}$/);
  expect(await authenticate(vault, headerCredentials(`Bearer ${made.token}`), CALLER)).toMatchObject({
    workspaceId: made.workspaceId,
    role: 'owner',
    namespaces: ['*'],
  });
  expect(rowsOf(vault, made.workspaceId).map(({ action, actor }) => [action, actor.id])).toEqual([
    ['workspace.created', 'setup'],
    ['lane.opened', 'setup'],
    ['api_key.created', 'setup'],
  ]);
  expect(await verified(vault)).toMatchObject([{ ok: true }, { ok: true, workspaceId: made.workspaceId }]);
});

it('keeps the token nowhere', async () => {
  const { workspaceId } = await run(SETUP_TOKEN);
  const everything = JSON.stringify([[...vault.tables.entities.values()], rowsOf(vault, workspaceId)]);
  expect(everything).not.toContain(SETUP_TOKEN);
});

it.each(['', 'wrong', `${SETUP_TOKEN} `, SETUP_TOKEN.toUpperCase()])(
  'a wrong token is refused and recorded: %p',
  async (wrong) => {
    await expect(run(wrong)).rejects.toMatchObject(refused);
    expect(stored('workspace')).toEqual([]);
    expect(rowsOf(vault, PLATFORM_WORKSPACE, 1)).toMatchObject([
      { action: 'authentication.failed', detail: { reason: 'setup_token' }, ip: CALLER.ip },
    ]);
  },
);

it('a token works once; used again it is refused in the same words as a wrong one', async () => {
  await run(SETUP_TOKEN);
  const answers = await Promise.all(
    [SETUP_TOKEN, 'wrong'].map((one) => run(one).catch((error: Error) => error.message)),
  );
  expect(new Set(answers).size).toBe(1);
  expect(stored('apiKey')).toHaveLength(1);
});

it('a token that was rotated away is dead, used or not', async () => {
  token = 'a fresh token';
  await expect(run(SETUP_TOKEN)).rejects.toMatchObject(refused);
  expect(await run('a fresh token')).toMatchObject({ recovered: false });
});

it('a fresh token recovers the owner of the workspace that is there, and is recorded', async () => {
  const first = await run(SETUP_TOKEN);
  token = 'a fresh token';
  const second = await setUp(
    instance(vault),
    { setupToken: 'a fresh token', workspaceName: 'Ignored' },
    CALLER,
  );
  expect(second).toMatchObject({ workspaceId: first.workspaceId, workspaceName: 'Acme', recovered: true });
  expect(second.apiKey.id).not.toBe(first.apiKey.id);
  expect(rowsOf(vault, first.workspaceId).slice(3)).toMatchObject([
    { action: 'owner.recovered' },
    { action: 'api_key.created', detail: { role: 'owner' } },
  ]);
  for (const key of [first.token, second.token])
    expect(await authenticate(vault, headerCredentials(`Bearer ${key}`), CALLER)).toMatchObject({
      role: 'owner',
    });
  await expect(run('a fresh token')).rejects.toMatchObject(refused);
});

it.each(['the first', 'a recovery'])('of two at once with one token, for %s, one wins', async (which) => {
  if (which === 'a recovery') {
    await run(SETUP_TOKEN);
    token = 'a fresh token';
  }
  const before = stored('apiKey').length;
  const results = await Promise.allSettled([run(token), run(token, memoryVault(vault))]);
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: refused });
  expect(stored('workspace')).toHaveLength(1);
  expect(stored('apiKey')).toHaveLength(before + 1);
});

it('whose answer was lost leaves one workspace at most, and a fresh token leads back in', async () => {
  for (const fault of ['before', 'after'] as const) {
    for (let at = 1, calls = 1; at <= calls; at += 1) {
      vault = memoryVault();
      token = SETUP_TOKEN;
      calls = 0;
      vault.tables.faults = async () => {
        calls += 1;
        return calls === at ? fault : 'none';
      };
      await run(SETUP_TOKEN).catch(() => undefined);
      vault.tables.faults = async () => 'none';
      token = 'a fresh token';
      const { workspaceId } = await run('a fresh token', memoryVault(vault));
      expect(stored('workspace')).toHaveLength(1);
      await createNamespace(vault, callerWith({ workspaceId, role: 'owner' }), { name: 'works' });
    }
  }
});

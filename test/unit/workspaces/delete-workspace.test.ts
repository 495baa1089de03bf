import { createApiKey } from '../../../core/identity/create-api-key.ts';
import { rotateApiKey } from '../../../core/identity/rotate-api-key.ts';
import { deleteWorkspace } from '../../../core/workspaces/delete-workspace.ts';
import { updateWorkspace } from '../../../core/workspaces/update-workspace.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { callerWith, type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { acme, OLGA, person, recorded } from '../members/acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerKey: string;
let oda: Browser;
beforeEach(async () => {
  ({ vault } = await acme());
  workspaceId = await addWorkspace(vault);
  await addPerson(vault, workspaceId, { email: ODA, role: 'owner' });
  ({ token: ownerKey } = await addKey(vault, workspaceId, { role: 'owner' }));
  oda = await loggedIn(vault, ODA, { steppedUp: true });
});

const ODA = 'oda@example.com';
const NED = 'ned@example.com';
const remove = () => oda.send('DELETE', '/workspace');

/** Revokes the key that the set-up made, by the id that the list tells. */
async function revokeKeys(): Promise<void> {
  const { items } = (await oda.get('/api-keys')).body as { items: { id: string }[] };
  for (const { id } of items) await oda.send('DELETE', `/api-keys/${id}`);
}

it('the first workspace of the deployment stays, since it recovers the owners', async () => {
  const olga = await loggedIn(vault, OLGA, { steppedUp: true });
  const refused = await olga.send('DELETE', '/workspace');
  expect([refused.status, problemCode(refused)]).toEqual([403, 'forbidden']);
});

describe('deleting the workspace', () => {
  it('ends every session in it, and it can be entered no more', async () => {
    await revokeKeys();
    await addPerson(vault, workspaceId, { email: NED, role: 'viewer' });
    const ned = await loggedIn(vault, NED);
    expect((await remove()).status).toBe(204);
    expect(oda.cookies.has('__Host-lockzero_access')).toBe(false);
    expect((await ned.get('/secrets')).status).toBe(401);
    expect((await ned.post('/auth/refresh')).status).toBe(401);
    expect(problemCode(await new Browser(vault).logIn(NED))).toBe('forbidden');
    expect(problemCode(await new Browser(vault).logIn(ODA))).toBe('forbidden');
    expect((await person(vault, ODA)).workspaceIds).toEqual([]);
    expect(recorded(vault, workspaceId)).toContain('workspace.deleted success');
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('is refused while it holds secrets, deleted ones that can be restored included', async () => {
    await revokeKeys();
    const json = { namespace: 'prod', name: 'TOKEN', value: 'v' };
    const secret = `/secrets/${String((await oda.post('/secrets', json)).body['id'])}`;
    const refused = await remove();
    expect([refused.status, problemCode(refused)]).toEqual([409, 'workspace_not_empty']);
    await oda.send('DELETE', secret);
    expect(problemCode(await remove())).toBe('workspace_not_empty');
    await oda.send('DELETE', secret, undefined, { query: { purge: 'true' } });
    expect((await remove()).status).toBe(204);
  });

  it('is refused while an API key is neither revoked nor expired, however many are', async () => {
    expect(problemCode(await remove())).toBe('workspace_not_empty');
    await revokeKeys();
    const [revokedAt, expiresAt] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'];
    for (let count = 0; count < 120; count += 1)
      await addKey(vault, workspaceId, { role: 'viewer', revokedAt, createdAt: revokedAt });
    await addKey(vault, workspaceId, { role: 'viewer', expiresAt, createdAt: expiresAt });
    expect(problemCode(await remove())).toBe('workspace_not_empty');
    vault.clock.advance(1_000);
    expect((await remove()).status).toBe(204);
  });

  it('by an API key never is possible: the key itself is in it', async () => {
    const call = { method: 'DELETE', path: '/workspace', token: ownerKey };
    expect(problemCode(await callApi(vault, call))).toBe('workspace_not_empty');
  });

  it('is for owners, after step-up', async () => {
    await addPerson(vault, workspaceId, { email: NED, role: 'admin' });
    const ned = await loggedIn(vault, NED, { steppedUp: true });
    expect(problemCode(await ned.send('DELETE', '/workspace'))).toBe('forbidden');
    const tired = await loggedIn(vault, ODA);
    expect(problemCode(await tired.send('DELETE', '/workspace'))).toBe('step_up_required');
  });

  it('succeeds although the list of the person could not be tidied', async () => {
    await revokeKeys();
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends > 1 ? 'before' : 'none';
    };
    expect((await remove()).status).toBe(204);
  });
});

describe('an API key that is made while the workspace is deleted', () => {
  const owner = () => callerWith({ workspaceId, role: 'owner' });

  /** Before the next row is written, something else happens first, on another instance. */
  function beforeNextRow(work: (other: MemoryVault) => Promise<unknown>): void {
    const other = memoryVault(vault);
    let isDone = false;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append' || isDone) return 'none';
      isDone = true;
      await work(other);
      return 'none';
    };
  }

  const goodKeys = () =>
    [...vault.tables.entities.values()].filter(
      ({ entity }) =>
        entity.kind === 'apiKey' &&
        entity.workspaceId === workspaceId &&
        !('revokedAt' in entity) &&
        !('expiresAt' in entity),
    );

  it('is not made', async () => {
    await revokeKeys();
    beforeNextRow((other) => deleteWorkspace(other, owner()));
    const made = createApiKey(vault, owner(), { name: 'ci', role: 'viewer', namespaces: ['*'] });
    await expect(made).rejects.toMatchObject({ code: 'not_found' });
    expect(goodKeys()).toEqual([]);
  });

  it('as the successor of one that ends just then, is not made', async () => {
    await revokeKeys();
    const { id } = await addKey(vault, workspaceId, {
      role: 'viewer',
      expiresAt: '2026-01-01T00:00:01.000Z',
    });
    beforeNextRow(async (other) => {
      vault.clock.advance(1_000);
      await deleteWorkspace(other, owner());
    });
    const rotated = rotateApiKey(vault, owner(), { id, overlapSeconds: 0 });
    await expect(rotated).rejects.toMatchObject({ code: 'not_found' });
    expect(goodKeys()).toEqual([]);
  });

  it('is made while the workspace only changes its name', async () => {
    beforeNextRow((other) => updateWorkspace(other, owner(), { name: 'Acme 2' }));
    const input = { name: 'ci', role: 'viewer', namespaces: ['*'] } as const;
    expect((await createApiKey(vault, owner(), input)).token).toBeDefined();
    expect((await oda.get('/workspace')).body).toMatchObject({ name: 'Acme 2' });
  });
});

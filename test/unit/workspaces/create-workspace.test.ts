import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { acme, crashAt, OLGA, person, recorded, recover } from '../members/acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerKey: string;
let ownerId: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerKey, ownerId } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';
const make = (name: string, key?: string, by = olga) =>
  by.post('/workspaces', { name }, key === undefined ? {} : { headers: { 'Idempotency-Key': key } });
const idOf = ({ body }: { body: Record<string, unknown> }) => String(body['id']);
const count = () =>
  [...vault.tables.entities.values()].filter(({ entity }) => entity.kind === 'workspace').length;

describe('a further workspace', () => {
  it('belongs to whoever makes it, who can go there', async () => {
    const answer = await make('Beta');
    const id = idOf(answer);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ name: 'Beta', role: 'owner', policy: { requireMfa: false } });
    expect(id).toMatch(/^ws_[0-9a-f]{32}$/);
    expect((await person(vault, OLGA)).workspaceIds).toEqual([workspaceId, id]);
    expect((await olga.post('/auth/switch-workspace', { workspaceId: id })).status).toBe(200);
    expect((await olga.get('/workspace')).body).toMatchObject({ id, name: 'Beta', role: 'owner' });
    await olga.stepUp();
    expect(problemCode(await olga.send('DELETE', `/workspace/members/${ownerId}`))).toBe('last_owner');
  });

  it('has its first rows, and leaves one each with the person and in the workspace left', async () => {
    const id = idOf(await make('Beta'));
    const actor = { type: 'user', id: ownerId };
    expect(rowsOf(vault, id)).toMatchObject([
      { action: 'workspace.created', actor, changes: [{ kind: 'workspace' }, { kind: 'membership' }] },
      { action: 'lane.opened', actor },
    ]);
    expect(rowsOf(vault, workspaceId).at(-1)).toMatchObject({
      action: 'workspace.created',
      actor,
      entity: { type: 'workspace', id },
      changes: [],
    });
    expect(rowsOf(vault, PLATFORM_WORKSPACE).at(-1)).toMatchObject({
      action: 'user.joined_workspace',
      detail: { workspaceId: id },
    });
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('is for owners who are people, after step-up', async () => {
    const call = { method: 'POST', path: '/workspaces', token: ownerKey, json: { name: 'Beta' } };
    expect(problemCode(await callApi(vault, call))).toBe('forbidden');
    await addPerson(vault, workspaceId, { email: NED, role: 'admin' });
    const ned = await loggedIn(vault, NED, { steppedUp: true });
    expect(problemCode(await make('Beta', undefined, ned))).toBe('forbidden');
    expect(problemCode(await make('Beta', undefined, await loggedIn(vault, OLGA)))).toBe('step_up_required');
    expect(count()).toBe(1);
  });

  it('is refused to somebody who is in 20 already', async () => {
    for (let index = 1; index < 20; index += 1)
      await addPerson(vault, await addWorkspace(vault), { email: OLGA, role: 'viewer' });
    expect(problemCode(await make('Beta'))).toBe('too_many_workspaces');
    expect(count()).toBe(20);
  });
});

describe('with an Idempotency-Key', () => {
  it('a repeat finds the workspace that was made', async () => {
    const first = await make('Beta', 'k1');
    expect((await make('Beta', 'k1')).body).toEqual(first.body);
    expect(idOf(await make('Beta', 'k2'))).not.toBe(idOf(first));
    expect(count()).toBe(3);
    expect(recorded(vault, workspaceId).filter((row) => row === 'workspace.created success')).toHaveLength(4);
  });

  it('another name is refused', async () => {
    await make('Beta', 'k1');
    const refused = await make('Gamma', 'k1');
    expect([refused.status, problemCode(refused)]).toEqual([422, 'idempotency_key_reused']);
    expect(count()).toBe(2);
  });

  it('a repeat does not show a workspace that the caller has left', async () => {
    const id = idOf(await make('Beta', 'k1'));
    await addPerson(vault, id, { email: NED, role: 'owner' });
    const away = await loggedIn(vault, OLGA);
    await away.post('/auth/switch-workspace', { workspaceId: id });
    await away.stepUp();
    expect((await away.send('DELETE', `/workspace/members/${ownerId}`)).status).toBe(204);
    expect(problemCode(await make('Beta', 'k1'))).toBe('idempotency_key_reused');
  });

  it('belongs to one person', async () => {
    const first = idOf(await make('Beta', 'k1'));
    await addPerson(vault, workspaceId, { email: NED, role: 'owner' });
    const ned = await loggedIn(vault, NED, { steppedUp: true });
    expect(idOf(await make('Beta', 'k1', ned))).not.toBe(first);
  });

  it('of ten at once, one makes the workspace, and all answer with it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = new Browser(memoryVault(vault));
        for (const [name, cookie] of olga.cookies) browser.cookies.set(name, cookie);
        browser.csrfToken = olga.csrfToken;
        return make('Beta', 'k1', browser);
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(count()).toBe(2);
    expect((await person(vault, OLGA)).workspaceIds).toHaveLength(2);
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it.each([1, 2, 3])('a crash at write %d leaves nothing in the way of a repeat', async (lost) => {
    crashAt(vault, lost);
    expect(problemCode(await make('Beta', 'k1'))).toBe('unavailable');
    recover(vault);
    const again = await loggedIn(vault, OLGA, { steppedUp: true });
    const answer = await make('Beta', 'k1', again);
    expect(answer.status).toBe(201);
    expect(count()).toBe(2);
    expect((await person(vault, OLGA)).workspaceIds).toEqual([workspaceId, idOf(answer)]);
    expect(rowsOf(vault, workspaceId).filter(({ entity }) => entity.id === idOf(answer))).toHaveLength(1);
    expect(await brokenWorkspaces(vault)).toEqual({});
  });
});

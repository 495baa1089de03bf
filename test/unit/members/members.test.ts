import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { addKey, addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { accept, acme, invited, OLGA, person, recorded } from './acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerId: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerId } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';
const EVE = 'eve@example.com';
const path = (id: string) => `/workspace/members/${id}`;
const give = (by: Browser, id: string, role: string) => by.send('PATCH', path(id), { role });
const remove = (by: Browser, id: string) => by.send('DELETE', path(id));
const add = async (email: string, role: 'viewer' | 'operator' | 'admin' | 'owner') =>
  (await addPerson(vault, workspaceId, { email, role })).id;
const enter = (email: string) => loggedIn(vault, email, { steppedUp: true });
const session = (browser: Browser) => browser.get('/auth/session');
const roles = async () => {
  const items = (await (await enter(OLGA)).get('/workspace/members')).body['items'];
  return (items as { email: string; role: string }[]).map(({ email, role }) => [email, role]);
};

describe('the list of members', () => {
  it('tells every member who is in the workspace, in pages', async () => {
    vault.clock.advance(1);
    const id = await add(NED, 'viewer');
    const ned = await enter(NED);
    const first = await ned.get('/workspace/members', { query: { limit: '1' } });
    expect(first.body).toEqual({
      items: [
        {
          userId: ownerId,
          email: OLGA,
          role: 'owner',
          joinedAt: '2026-01-01T00:00:00.000Z',
          invitedBy: 'setup',
        },
      ],
      nextCursor: expect.any(String),
    });
    const cursor = String(first.body['nextCursor']);
    const second = await ned.get('/workspace/members', { query: { limit: '1', cursor } });
    expect(second.body).toMatchObject({ items: [{ userId: id, role: 'viewer' }], nextCursor: null });
    expect(recorded(vault, workspaceId)).toContain('member.listed success');
  });

  it('X2 has nobody of another workspace', async () => {
    await addPerson(vault, await addWorkspace(vault), { email: EVE, role: 'owner' });
    expect(await roles()).toEqual([[OLGA, 'owner']]);
    const eve = await enter(EVE);
    expect((await eve.get('/workspace/members')).body['items']).toHaveLength(1);
    expect(problemCode(await give(eve, ownerId, 'viewer'))).toBe('not_found');
    expect(problemCode(await remove(eve, ownerId))).toBe('not_found');
    expect(problemCode(await eve.send('DELETE', `${path(ownerId)}/sessions`))).toBe('not_found');
  });
});

describe('roles', () => {
  it('X1 a new role holds from the next request on', async () => {
    const id = await add(NED, 'operator');
    const ned = await enter(NED);
    expect((await ned.post('/namespaces', { name: 'prod' })).status).toBe(201);
    expect(await give(olga, id, 'viewer')).toMatchObject({
      status: 200,
      json: { userId: id, role: 'viewer' },
    });
    expect(problemCode(await ned.post('/namespaces', { name: 'test' }))).toBe('forbidden');
    expect(rowsOf(vault, workspaceId).find(({ action }) => action === 'member.role_changed')).toMatchObject({
      actor: { type: 'user', id: ownerId },
      entity: { type: 'user', id },
      detail: { from: 'operator', to: 'viewer' },
    });
  });

  it('nobody grants above their own role', async () => {
    const id = await add(NED, 'viewer');
    const eveId = await add(EVE, 'admin');
    const eve = await enter(EVE);
    expect(problemCode(await give(eve, id, 'owner'))).toBe('forbidden');
    expect(problemCode(await give(eve, eveId, 'owner'))).toBe('forbidden');
    expect((await give(eve, id, 'admin')).status).toBe(200);
    expect(problemCode(await give(await enter(OLGA), id, 'emperor'))).toBe('invalid_request');
  });

  it('nobody changes or removes somebody above them', async () => {
    await add(EVE, 'admin');
    const eve = await enter(EVE);
    for (const answer of [
      await give(eve, ownerId, 'viewer'),
      await remove(eve, ownerId),
      await eve.send('DELETE', `${path(ownerId)}/sessions`),
    ])
      expect(problemCode(answer)).toBe('forbidden');
    expect((await session(olga)).status).toBe(200);
  });

  it('operators and viewers manage nobody', async () => {
    const id = await add(NED, 'viewer');
    await add(EVE, 'operator');
    const eve = await enter(EVE);
    expect(problemCode(await give(eve, id, 'viewer'))).toBe('forbidden');
    expect(problemCode(await remove(eve, id))).toBe('forbidden');
  });

  it('I5 managing others needs step-up', async () => {
    const id = await add(NED, 'viewer');
    const tired = await loggedIn(vault, OLGA);
    expect(problemCode(await give(tired, id, 'admin'))).toBe('step_up_required');
    expect(problemCode(await remove(tired, id))).toBe('step_up_required');
  });

  it('the last owner cannot be demoted, by nobody', async () => {
    expect(problemCode(await give(olga, ownerId, 'admin'))).toBe('last_owner');
    const { token } = await addKey(vault, workspaceId, { role: 'owner' });
    const call = { method: 'PATCH', path: path(ownerId), token, json: { role: 'viewer' } };
    expect(problemCode(await callApi(vault, call))).toBe('last_owner');
    expect(await roles()).toEqual([[OLGA, 'owner']]);
  });

  it('an owner can be demoted once there is another, who then is the last', async () => {
    const id = await add(NED, 'viewer');
    expect((await give(olga, id, 'owner')).status).toBe(200);
    expect((await give(olga, ownerId, 'admin')).status).toBe(200);
    expect(problemCode(await remove(await enter(NED), id))).toBe('last_owner');
    expect(await roles()).toEqual([
      [OLGA, 'admin'],
      [NED, 'owner'],
    ]);
  });
});

describe('a member who is removed', () => {
  it('I4 is refused on the next request', async () => {
    const id = await add(NED, 'admin');
    const ned = await enter(NED);
    expect((await remove(olga, id)).status).toBe(204);
    const refused = await ned.get('/secrets');
    expect([refused.status, problemCode(refused)]).toEqual([401, 'unauthenticated']);
    expect((await person(vault, NED)).workspaceIds).toEqual([]);
    expect(problemCode(await new Browser(vault).logIn(NED))).toBe('forbidden');
    expect(recorded(vault, PLATFORM_WORKSPACE)).toContain('user.left_workspace success');
    expect(problemCode(await remove(olga, id))).toBe('not_found');
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('and invited again has a new membership: the old session stays dead', async () => {
    const id = await add(NED, 'operator');
    const ned = await enter(NED);
    await remove(olga, id);
    expect((await accept(vault, await invited(vault, olga, NED))).status).toBe(201);
    expect((await session(ned)).status).toBe(401);
    expect((await ned.post('/auth/refresh')).status).toBe(401);
    expect((await session(await enter(NED))).status).toBe(200);
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('does not come back by an older link', async () => {
    const [first, second] = [await invited(vault, olga, NED), await invited(vault, olga, NED, 'admin')];
    const others = await invited(vault, olga, EVE);
    await accept(vault, first);
    await remove(olga, (await person(vault, NED)).id);
    expect(problemCode(await accept(vault, second))).toBe('link_refused');
    expect((await accept(vault, others)).status).toBe(201);
  });

  it('is out although their own list could not be tidied, and the request succeeds', async () => {
    const id = await add(NED, 'viewer');
    const ned = await enter(NED);
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends > 1 ? 'before' : 'none';
    };
    expect((await remove(olga, id)).status).toBe(204);
    vault.tables.faults = async () => 'none';
    expect((await session(ned)).status).toBe(401);
    expect((await person(vault, NED)).workspaceIds).toEqual([workspaceId]);
    vault.clock.advance(60_000);
    expect((await accept(vault, await invited(vault, await enter(OLGA), NED))).status).toBe(201);
    expect((await person(vault, NED)).workspaceIds).toEqual([workspaceId]);
  });
});

describe('leaving', () => {
  it('is open to everybody, after a step-up', async () => {
    const id = await add(NED, 'viewer');
    const tired = await loggedIn(vault, NED);
    expect(problemCode(await remove(tired, id))).toBe('step_up_required');
    const ned = await loggedIn(vault, NED, { steppedUp: true });
    const answer = await remove(ned, id);
    expect(answer.status).toBe(204);
    expect(ned.cookies.has('__Host-lockzero_access')).toBe(false);
    expect(await roles()).toEqual([[OLGA, 'owner']]);
    expect(rowsOf(vault, workspaceId).findLast(({ action }) => action === 'member.removed')).toMatchObject({
      actor: { type: 'user', id },
      entity: { type: 'user', id },
    });
  });

  it('the last owner cannot leave', async () => {
    await add(NED, 'admin');
    const refused = await remove(olga, ownerId);
    expect([refused.status, problemCode(refused)]).toEqual([409, 'last_owner']);
    expect((await session(olga)).status).toBe(200);
  });
});

describe('signing a member out', () => {
  it('ends their sessions in this workspace at once, and those alone', async () => {
    const id = await add(NED, 'operator');
    const elsewhere = await addWorkspace(vault);
    await addPerson(vault, elsewhere, { email: NED, role: 'viewer' });
    const [here, there] = [await enter(NED), await enter(NED)];
    await there.post('/auth/switch-workspace', { workspaceId: elsewhere });
    expect((await olga.send('DELETE', `${path(id)}/sessions`)).status).toBe(204);
    expect((await session(here)).status).toBe(401);
    expect((await session(there)).status).toBe(200);
    expect((await session(await enter(NED))).status).toBe(200);
    expect(recorded(vault, workspaceId)).toContain('member.signed_out success');
  });
});

import { ROLES, type Role } from '../../../core/access/role.ts';
import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { createUser } from '../../../core/identity/create-user.ts';
import { isUuid } from '../../../core/kernel/ids.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { ADA, interleave, peopleWorld } from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let adaId: string;
beforeEach(async () => {
  const world = await peopleWorld();
  ({ vault, workspaceId } = world);
  adaId = world.ada.id;
});

describe('I9: users are unique by email and UUID', () => {
  const create = (email: string, instance = vault) =>
    createUser(
      instance,
      { email, password: PASSWORD, field: 'password', workspaces: [], workspaceId },
      systemOrigin(workspaceId, 'test'),
    );

  it('an id is a UUID of version 4', async () => {
    expect(isUuid(adaId)).toBe(true);
    expect((await create('bob@example.com')).id).not.toBe(adaId);
  });

  it('an address has one account, whatever the case of its letters', async () => {
    await expect(create('ADA@Example.com')).rejects.toMatchObject({ code: 'concurrent_change' });
    const { body } = await new Browser(vault).logIn('Ada@EXAMPLE.com');
    expect(body['user']).toEqual({ id: adaId, email: ADA });
  });

  it('of 20 that are made at once with one address, by two function instances, one is', async () => {
    const instances = [vault, memoryVault(vault)];
    interleave(vault);
    const made = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => create('bob@example.com', instances[index % 2])),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

/** The four roles, and what each of them is the first to do. */
const FIRSTS: readonly (readonly [Role, string, object | undefined])[] = [
  ['viewer', 'GET /secrets', undefined],
  ['operator', 'POST /secrets', { namespace: 'prod', name: 'new', value: 'v' }],
  ['admin', 'GET /api-keys', undefined],
  ['owner', 'DELETE /secrets/{id}?purge', undefined],
];

describe('X1: four roles; viewer reads only', () => {
  it.each(ROLES)('%s may do what begins at that role and below, and no more', async (role) => {
    const email = `${role}@example.com`;
    const admin = await loggedIn(vault, ADA);
    const { body } = await admin.post('/secrets', { namespace: 'prod', name: 'a', value: 'v' });
    await admin.send('DELETE', `/secrets/${body['id']}`);
    await addPerson(vault, workspaceId, { email, role });
    const browser = await loggedIn(vault, email, { steppedUp: true });
    for (const [least, route, json] of FIRSTS) {
      const [method = '', pattern = ''] = route.split(' ');
      const [path = '', flag] = pattern.replace('{id}', String(body['id'])).split('?');
      const query = flag === undefined ? {} : { [flag]: 'true' };
      const answer = await browser.send(method, path, json, { query });
      const isAllowed = ROLES.indexOf(role) >= ROLES.indexOf(least);
      expect([route, problemCode(answer)]).toEqual([route, isAllowed ? undefined : 'forbidden']);
    }
  });

  it('the role is that of the workspace in which the session is', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    const browser = await loggedIn(vault, ADA);
    expect((await browser.post('/namespaces', { name: 'mine' })).status).toBe(201);
    await browser.post('/auth/switch-workspace', { workspaceId: other });
    expect(problemCode(await browser.post('/namespaces', { name: 'mine' }))).toBe('forbidden');
  });
});

describe('X2: every query is scoped by the workspace in the token, never by the request', () => {
  let foreignSecret: string;
  let eve: Browser;
  let foreign: string;
  beforeEach(async () => {
    foreign = await addWorkspace(vault);
    await addPerson(vault, foreign, { email: 'eve@example.com', role: 'owner' });
    const ada = await loggedIn(vault, ADA);
    const { body } = await ada.post('/secrets', { namespace: 'prod', name: 'a', value: 'hush' });
    foreignSecret = String(body['id']);
    eve = await loggedIn(vault, 'eve@example.com', { steppedUp: true });
  });

  it("another tenant's id is answered like an absent one", async () => {
    const absent = `sec_${'0'.repeat(32)}`;
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/reveal'],
      ['GET', '/versions'],
      ['POST', '/restore'],
    ] as const) {
      const [there, nowhere] = [
        await eve.send(method, `/secrets/${foreignSecret}${suffix}`),
        await eve.send(method, `/secrets/${absent}${suffix}`),
      ];
      expect([there.status, there.text]).toEqual([404, nowhere.text]);
    }
    expect((await eve.get('/secrets')).body['items']).toEqual([]);
  });

  it('naming another workspace in a query, a body or a header changes nothing', async () => {
    expect((await eve.get('/secrets', { query: { workspaceId } })).status).toBe(400);
    const json = { name: 'mine', workspaceId };
    expect((await eve.post('/namespaces', json)).status).toBe(400);
    const headers = { 'X-Workspace-Id': workspaceId };
    expect((await eve.get('/secrets', { headers })).body['items']).toEqual([]);
  });

  it("a login can only choose among one's own workspaces", async () => {
    const logInTo = (id: string) =>
      new Browser(vault).post('/auth/login', {
        email: 'eve@example.com',
        password: PASSWORD,
        workspaceId: id,
      });
    expect((await logInTo(foreign)).body).toMatchObject({ workspace: { id: foreign } });
    const [there, nowhere] = [await logInTo(workspaceId), await logInTo(`ws_${'0'.repeat(32)}`)];
    expect([there.status, there.cookies, there.text]).toEqual([403, undefined, nowhere.text]);
  });

  it('a cursor of another tenant is refused', async () => {
    const ada = await loggedIn(vault, ADA);
    await ada.post('/secrets', { namespace: 'prod', name: 'b', value: 'hush' });
    const { body } = await ada.get('/secrets', { query: { limit: '1' } });
    const query = { limit: '1', cursor: String(body['nextCursor']) };
    expect(problemCode(await eve.get('/secrets', { query }))).toBe('invalid_cursor');
  });

  it('a person does nothing with an API key of another workspace beside the session', async () => {
    const ada = await loggedIn(vault, ADA, { steppedUp: true });
    const made = await ada.post('/api-keys', { name: 'ci', role: 'viewer', namespaces: ['*'] });
    const call = { method: 'GET', path: '/secrets', headers: { Cookie: eve.cookieHeader() } };
    const { json } = await callApi(vault, { ...call, token: String(made.body['key']) });
    // The header wins, whole: the answer is that of the key's own workspace.
    expect((json as { items: unknown[] }).items).toHaveLength(1);
    expect((await callApi(vault, { ...call, token: 'lz_wrong' })).status).toBe(401);
  });
});

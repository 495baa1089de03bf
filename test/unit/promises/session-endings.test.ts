import { systemOrigin } from '../../../core/audit/lane-start.ts';
import { type Change, remove, update } from '../../../core/kernel/entity.ts';
import { membershipKind, newSessionGroup } from '../../../core/members/membership.ts';
import { workspaceKind } from '../../../core/workspaces/workspace.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { ADA, copyOf, interleave, membershipOf, OTHER_PASSWORD, peopleWorld, tally } from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
let userId: string;
let browser: Browser;
/** A copy of all that the session had when it was at work. */
let stolen: Browser;
let other: Browser;

beforeEach(async () => {
  const world = await peopleWorld();
  ({ vault, workspaceId } = world);
  userId = world.ada.id;
  browser = await loggedIn(vault, ADA, { steppedUp: true });
  other = await loggedIn(vault, ADA);
  stolen = copyOf(browser, vault);
});

async function commit(change: Change): Promise<void> {
  await vault.trail.commit(systemOrigin(workspaceId, 'test'), [
    {
      action: 'member.role_changed',
      entity: { type: 'user', id: userId },
      result: 'success',
      changes: [change],
    },
  ]);
}

async function expectDead(one: Browser): Promise<void> {
  const copy = copyOf(one, vault);
  expect(problemCode(await copy.get('/secrets'))).toBe('unauthenticated');
  expect(problemCode(await copy.get('/auth/session'))).toBe('unauthenticated');
  expect(problemCode(await copy.post('/auth/refresh'))).toBe('unauthenticated');
}

async function expectAlive(one: Browser): Promise<void> {
  expect((await one.get('/auth/session')).status).toBe(200);
}

describe('I4: what ends a session bites on its next request', () => {
  it('logout', async () => {
    const { status, cookies } = await browser.post('/auth/logout');
    expect(status).toBe(204);
    expect(cookies).toHaveLength(2);
    for (const cookie of cookies ?? []) expect(cookie).toContain('=; Max-Age=0;');
    await expectDead(stolen);
    await expectAlive(other);
  });

  it('ending it from another session', async () => {
    const { session } = (await browser.get('/auth/session')).body as { session: { id: string } };
    await other.stepUp();
    expect((await other.send('DELETE', `/auth/sessions/${session.id}`)).status).toBe(204);
    await expectDead(stolen);
    await expectAlive(other);
  });

  it('a change of the password ends every session', async () => {
    const json = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD };
    expect((await browser.post('/auth/password', json)).status).toBe(204);
    await expectDead(stolen);
    await expectDead(other);
  });

  it('revoke-all ends every session, in all workspaces', async () => {
    const second = await addWorkspace(vault);
    await addPerson(vault, second, { email: ADA, role: 'viewer' });
    const away = await loggedIn(vault, ADA);
    await away.post('/auth/switch-workspace', { workspaceId: second });
    expect((await browser.post('/auth/sessions/revoke-all')).status).toBe(204);
    for (const one of [stolen, other, away]) await expectDead(one);
  });

  it('removal of the member', async () => {
    await commit(remove(membershipKind, await membershipOf(vault, workspaceId, userId)));
    await expectDead(stolen);
  });

  it('and such a session is not listed any more', async () => {
    const second = await addWorkspace(vault);
    await addPerson(vault, second, { email: ADA, role: 'viewer' });
    await other.post('/auth/switch-workspace', { workspaceId: second });
    await commit(remove(membershipKind, await membershipOf(vault, workspaceId, userId)));
    const { items } = (await other.get('/auth/sessions')).body as { items: { workspaceId: string }[] };
    expect(items.map((session) => session.workspaceId)).toEqual([second]);
  });

  it('and coming back does not revive it', async () => {
    await commit(remove(membershipKind, await membershipOf(vault, workspaceId, userId)));
    await addPerson(vault, workspaceId, { email: ADA, role: 'admin' });
    await expectDead(stolen);
  });

  it('the sign-out of a member by an admin', async () => {
    const membership = await membershipOf(vault, workspaceId, userId);
    await commit(update(membershipKind, membership, { sessionGroup: newSessionGroup(vault.random) }));
    await expectDead(stolen);
  });

  it('deletion of the workspace', async () => {
    const workspace = await vault.store.get(workspaceKind, workspaceId, workspaceId);
    if (workspace === undefined) throw new Error('There is no workspace.');
    await commit(update(workspaceKind, workspace, { deletedAt: new Date(vault.clock.now()).toISOString() }));
    await expectDead(stolen);
  });
});

it('I4: a change of role bites on the next request, the session lives', async () => {
  expect((await browser.get('/api-keys')).status).toBe(200);
  const membership = await membershipOf(vault, workspaceId, userId);
  await commit(update(membershipKind, membership, { role: 'viewer' }));
  expect(problemCode(await browser.get('/api-keys'))).toBe('forbidden');
  expect((await browser.get('/secrets')).status).toBe(200);
});

it('I4: after a step-up the tokens from before are dead', async () => {
  const before = copyOf(other, vault);
  await other.stepUp();
  expect(problemCode(await before.get('/secrets'))).toBe('unauthenticated');
  expect(problemCode(await before.post('/auth/refresh'))).toBe('unauthenticated');
  await expectAlive(other);
});

/** Lets the owner end a session at one call of a request: while that waits, and from another function instance. */
async function endAt(point: number, owner: Browser, sessionId: string, request: () => Promise<unknown>) {
  let calls = 0;
  let ended: number | undefined;
  vault.tables.faults = async () => {
    calls += 1;
    if (calls === point + 1) ended = (await owner.send('DELETE', `/auth/sessions/${sessionId}`)).status;
    return 'none';
  };
  await request();
  vault.tables.faults = async () => 'none';
  return { reached: ended !== undefined, ended };
}

describe('I4: switching workspaces', () => {
  let second: string;
  beforeEach(async () => {
    second = await addWorkspace(vault);
    await addPerson(vault, second, { email: ADA, role: 'viewer' });
  });

  it('ends the old session and keeps the absolute end of the login', async () => {
    const { session } = (await browser.get('/auth/session')).body as { session: { expiresAt: string } };
    vault.clock.advance(4 * 60_000);
    const { status, body } = await browser.post('/auth/switch-workspace', { workspaceId: second });
    expect(status).toBe(200);
    expect(body).toMatchObject({ workspace: { id: second }, session: { expiresAt: session.expiresAt } });
    await expectDead(stolen);
    await expectAlive(browser);
  });

  it('takes no step-up along', async () => {
    const { body } = await browser.post('/auth/switch-workspace', { workspaceId: second });
    expect(body['session']).not.toHaveProperty('stepUpExpiresAt');
  });

  it('into a workspace of others is answered like one into none', async () => {
    const foreign = await addWorkspace(vault);
    const answers = await Promise.all(
      [foreign, `ws_${'0'.repeat(32)}`, '_platform'].map((id) =>
        browser.post('/auth/switch-workspace', { workspaceId: id }),
      ),
    );
    for (const { status, text } of answers) expect([status, text]).toEqual([404, answers[0]?.text]);
    await expectAlive(browser);
  });

  it('leaves nothing alive when the session is ended meanwhile, at whatever point', async () => {
    for (let point = 0, isOver = false; !isOver; point += 1) {
      const thief = await loggedIn(vault, ADA);
      const { session } = (await thief.get('/auth/session')).body as { session: { id: string } };
      const owner = copyOf(await loggedIn(vault, ADA, { steppedUp: true }), memoryVault(vault));
      const { reached, ended } = await endAt(point, owner, session.id, () =>
        thief.post('/auth/switch-workspace', { workspaceId: second }),
      );
      if (ended === 204) await expectDead(thief);
      isOver = !reached;
      vault.clock.advance(60_000);
    }
  });

  it('twice at once opens one session', async () => {
    const twin = copyOf(browser, vault);
    interleave(vault);
    const answers = await Promise.all(
      [browser, twin].map((one) => one.post('/auth/switch-workspace', { workspaceId: second })),
    );
    expect(tally(answers)[200]).toBe(1);
  });
});

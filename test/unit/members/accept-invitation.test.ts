import { PLATFORM_WORKSPACE } from '../../../core/kernel/ids.ts';
import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { membershipKind } from '../../../core/members/membership.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, memoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn, PASSWORD } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { accept, acme, crashAt, invited, OLGA, person, recorded, recover, stored } from './acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';
const WRONG = 'Wrong-Horse-7-Battery';

const memberships = () =>
  [...vault.tables.entities.values()].filter(
    ({ entity }) => entity.kind === 'membership' && entity.workspaceId === workspaceId,
  );
const failures = (workspace: string) =>
  rowsOf(vault, workspace, 1).map(({ action, detail }) => [action, detail['reason']]);

/** Somebody with an account, who is in another workspace. */
async function stranger(): Promise<string> {
  const elsewhere = await addWorkspace(vault);
  await addPerson(vault, elsewhere, { email: NED, role: 'viewer' });
  return elsewhere;
}

describe('somebody without an account', () => {
  it('gets one with the password, becomes a member, and has to log in', async () => {
    const answer = await accept(vault, await invited(vault, olga, NED));
    const ned = await person(vault, NED);
    expect(answer).toMatchObject({
      status: 201,
      json: {
        workspace: { id: workspaceId, name: 'Acme' },
        user: { id: ned.id, email: NED },
        role: 'operator',
      },
    });
    expect(answer.cookies).toBeUndefined();
    const browser = await loggedIn(vault, NED);
    expect((await browser.get('/auth/session')).body).toMatchObject({ workspace: { id: workspaceId } });
    expect(rowsOf(vault, workspaceId).find(({ action }) => action === 'member.joined')).toMatchObject({
      actor: { type: 'user', id: ned.id },
      entity: { type: 'user', id: ned.id },
      detail: { role: 'operator' },
    });
    expect(recorded(vault, PLATFORM_WORKSPACE)).toContain('user.created success');
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('I1 is refused a password against the policy of the workspace, and the link still works', async () => {
    await olga.send('PATCH', '/workspace', { policy: { passwordProfile: 'length' } });
    const token = await invited(vault, olga, NED);
    const refused = await accept(vault, token, { password: 'Short-7-Horse' });
    expect(problemCode(refused)).toBe('invalid_request');
    expect(refused.text).toContain('"path":"password"');
    expect((await accept(vault, token)).status).toBe(201);
  });

  it('leaves neither password nor token in rows or entities', async () => {
    const token = await invited(vault, olga, NED);
    await accept(vault, token, { password: 'short' });
    await accept(vault, token);
    expect(stored(vault)).toContain('member.joined');
    for (const text of [token, PASSWORD, 'short"']) expect(stored(vault)).not.toContain(text);
  });
});

describe('somebody with an account', () => {
  it('joins with the password of their account, and is in both workspaces', async () => {
    const elsewhere = await stranger();
    expect((await accept(vault, await invited(vault, olga, NED))).status).toBe(201);
    const ned = await person(vault, NED);
    expect(ned.workspaceIds).toEqual([elsewhere, workspaceId]);
    const browser = await loggedIn(vault, NED);
    expect((await browser.post('/auth/switch-workspace', { workspaceId })).status).toBe(200);
  });

  it('is refused with another password, which is recorded and does not use up the link', async () => {
    const elsewhere = await stranger();
    const token = await invited(vault, olga, NED);
    const refused = await accept(vault, token, { password: WRONG });
    expect([refused.status, problemCode(refused)]).toEqual([401, 'login_refused']);
    expect(failures(elsewhere)).toEqual([['authentication.failed', 'wrong_password']]);
    expect(memberships()).toHaveLength(1);
    expect((await accept(vault, token)).status).toBe(201);
  });

  it('I2 ten wrong passwords lock the account; a right one is none of them', async () => {
    await stranger();
    const token = await invited(vault, olga, NED);
    const ip = (index: number) => `198.51.100.${index}`;
    for (let index = 0; index < 9; index += 1) await accept(vault, token, { password: WRONG, ip: ip(index) });
    expect((await accept(vault, token, { ip: ip(9) })).status).toBe(201);
    vault.clock.advance(60_000);
    const browser = new Browser(vault);
    expect(problemCode(await browser.logIn(NED, WRONG))).toBe('login_refused');
    expect(problemCode(await browser.logIn(NED))).toBe('login_locked');
  });

  it('is told to log in when they are a member already', async () => {
    const [first, second] = [await invited(vault, olga, NED), await invited(vault, olga, NED, 'admin')];
    await accept(vault, first);
    expect(problemCode(await accept(vault, second))).toBe('already_member');
    const ned = await person(vault, NED);
    expect(await vault.store.get(membershipKind, workspaceId, ned.id)).toMatchObject({ role: 'operator' });
  });

  it('can be in 20 workspaces', async () => {
    for (let count = 0; count < 20; count += 1)
      await addPerson(vault, await addWorkspace(vault), { email: NED, role: 'viewer' });
    const refused = await accept(vault, await invited(vault, olga, NED));
    expect([refused.status, problemCode(refused)]).toEqual([409, 'too_many_workspaces']);
    expect(memberships()).toHaveLength(1);
  });
});

describe('a link', () => {
  it('makes its holder an owner where it says so, and the list of owners knows', async () => {
    await accept(vault, await invited(vault, olga, NED, 'owner'));
    const { id } = await person(vault, OLGA);
    expect((await olga.send('DELETE', `/workspace/members/${id}`)).status).toBe(204);
  });

  it('works once', async () => {
    const token = await invited(vault, olga, NED);
    await accept(vault, token);
    const again = await accept(vault, token);
    expect([again.status, problemCode(again)]).toEqual([401, 'link_refused']);
    expect(failures(workspaceId)).toEqual([['authentication.failed', 'invitation_link']]);
  });

  it('works for seven days', async () => {
    const token = await invited(vault, olga, NED);
    vault.clock.advance(7 * DAY_MS);
    expect(problemCode(await accept(vault, token))).toBe('link_refused');
    vault.clock.advance(-1);
    expect((await accept(vault, token)).status).toBe(201);
  });

  it.each([`lzi_${'A'.repeat(43)}`, `lzp_${'A'.repeat(43)}`, 'x'])(
    'that never was is refused and recorded: %s',
    async (token) => {
      expect(problemCode(await accept(vault, token))).toBe('link_refused');
      expect(failures(PLATFORM_WORKSPACE)).toEqual([['authentication.failed', 'invitation_link']]);
    },
  );

  it('into a deleted workspace is refused', async () => {
    const { vault: fresh, workspaceId: home } = await acme();
    const owner = await loggedIn(fresh, OLGA, { steppedUp: true });
    const made = await owner.post('/workspaces', { name: 'Brief' });
    await owner.post('/auth/switch-workspace', { workspaceId: made.body['id'] });
    await owner.stepUp();
    const token = await invited(fresh, owner, NED);
    expect((await owner.send('DELETE', '/workspace')).status).toBe(204);
    expect(problemCode(await accept(fresh, token))).toBe('link_refused');
    expect(made.body['id']).not.toBe(home);
  });

  it('I7 is not accepted for a page of another origin', async () => {
    const token = await invited(vault, olga, NED);
    const call = { method: 'POST', path: '/invitations/accept', json: { token, password: PASSWORD } };
    const headers = { Origin: 'https://evil.example' };
    expect(problemCode(await callApi(vault, { ...call, headers }))).toBe('csrf_refused');
    expect(memberships()).toHaveLength(1);
  });

  it('X5 is tried at most ten times a minute from one address', async () => {
    const codes: (string | undefined)[] = [];
    for (let index = 0; index < 11; index += 1)
      codes.push(problemCode(await accept(vault, `lzi_${String(index).padStart(43, 'A')}`)));
    expect(codes.filter((code) => code === 'link_refused')).toHaveLength(10);
    expect(codes.at(-1)).toBe('rate_limited');
  });
});

describe('at once', () => {
  it('20 accepts of one link make one membership', async () => {
    const token = await invited(vault, olga, NED);
    const instances = Array.from({ length: 20 }, () => ({ ...memoryVault(vault), breached: vault.breached }));
    const answers = await Promise.all(
      instances.map((instance, index) => accept(instance, token, { ip: `198.51.100.${index}` })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const others = answers.filter(({ status }) => status !== 201).map(problemCode);
    expect(['already_member', 'link_refused', 'login_locked', 'rate_limited']).toEqual(
      expect.arrayContaining([...new Set(others)]),
    );
    expect(memberships()).toHaveLength(2);
    expect((await person(vault, NED)).workspaceIds).toEqual([workspaceId]);
    expect(recorded(vault, workspaceId).filter((row) => row === 'member.joined success')).toHaveLength(1);
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('two links to one new address make one account', async () => {
    const tokens = [await invited(vault, olga, NED), await invited(vault, olga, NED)];
    const answers = await Promise.all(tokens.map((token) => accept(vault, token)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const made = recorded(vault, PLATFORM_WORKSPACE).filter((row) => row === 'user.created success');
    // Olga's, and this one.
    expect(made).toHaveLength(2);
    expect(memberships()).toHaveLength(2);
  });

  it('accepting and revoking have one winner', async () => {
    const { body } = await olga.post('/workspace/invitations', { email: NED, role: 'viewer' });
    const [accepted, revoked] = await Promise.all([
      accept(vault, vault.mail.tokenFor(NED)),
      olga.send('DELETE', `/workspace/invitations/${String(body['id'])}`),
    ]);
    expect([
      [201, 404],
      [401, 204],
    ]).toContainEqual([accepted.status, revoked.status]);
    expect(memberships()).toHaveLength(accepted.status === 201 ? 2 : 1);
  });
});

describe('when the store fails', () => {
  // The account, then the membership. An account that is there already: its list, then the membership.
  const steps = [
    { who: 'a new person', known: false, lost: 1 },
    { who: 'a new person', known: false, lost: 2 },
    { who: 'a known one', known: true, lost: 1 },
    { who: 'a known one', known: true, lost: 2 },
  ];

  it.each(steps)('at write $lost of $who, nobody is in, and the same request ends it', async (step) => {
    if (step.known) await stranger();
    const token = await invited(vault, olga, NED);
    crashAt(vault, step.lost);
    expect(problemCode(await accept(vault, token))).toBe('unavailable');
    expect(memberships()).toHaveLength(1);
    recover(vault);
    vault.clock.advance(60_000);
    expect((await accept(vault, token)).status).toBe(201);
    expect(memberships()).toHaveLength(2);
    const { workspaceIds } = await person(vault, NED);
    expect(workspaceIds.filter((id) => id === workspaceId)).toHaveLength(1);
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it.each(steps)('after write $lost of $who, the request ends well all the same', async (step) => {
    if (step.known) await stranger();
    const token = await invited(vault, olga, NED);
    let appends = 0;
    vault.tables.faults = async ({ name }) => {
      if (name !== 'ledger.append') return 'none';
      appends += 1;
      return appends === step.lost ? 'after' : 'none';
    };
    expect((await accept(vault, token)).status).toBe(201);
    expect(memberships()).toHaveLength(2);
  });
});

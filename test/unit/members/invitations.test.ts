import { DAY_MS } from '../../../core/kernel/timestamps.ts';
import { addWorkspace } from '../../support/api-world.ts';
import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, PUBLIC_URL, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn } from '../../support/people.ts';
import { accept, acme, invited, OLGA, stored } from './acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerKey: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerKey } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';
const invite = (by: Browser, email = NED, role = 'operator') =>
  by.post('/workspace/invitations', { email, role });
const idOf = ({ body }: { body: Record<string, unknown> }) => String(body['id']);

/** Somebody else of the workspace. */
async function member(role: 'viewer' | 'operator' | 'admin') {
  const email = `${role}@example.com`;
  await addPerson(vault, workspaceId, { email, role });
  return loggedIn(vault, email, { steppedUp: true });
}

async function open(by = olga): Promise<unknown[]> {
  return (await by.get('/workspace/invitations')).body['items'] as unknown[];
}

describe('an invitation', () => {
  it('I9 mails a link at the configured address that names the workspace and who invites', async () => {
    const answer = await invite(olga, 'Ned@Example.com', 'viewer');
    expect(answer).toMatchObject({
      status: 201,
      json: { email: NED, role: 'viewer', expiresAt: '2026-01-08T00:00:00.000Z' },
    });
    const [mail] = vault.mail.sent;
    expect(mail).toMatchObject({ to: NED, subject: 'Invitation to Acme on Lockzero' });
    expect(mail?.text).toContain(`${OLGA} invites you`);
    expect(mail?.text).toContain('with the role viewer');
    expect(mail?.text).toContain(`\n${PUBLIC_URL}/accept-invitation?token=lzi_`);
  });

  it('by an API key comes from an administrator', async () => {
    const json = { email: NED, role: 'viewer' };
    const call = { method: 'POST', path: '/workspace/invitations', token: ownerKey, json };
    expect((await callApi(vault, call)).status).toBe(201);
    expect(vault.mail.sent[0]?.text).toContain('An administrator invites you');
  });

  it('leaves its token nowhere but in the mail', async () => {
    const answer = await invite(olga);
    const token = vault.mail.tokenFor(NED);
    expect(JSON.stringify(answer)).not.toContain(token);
    await accept(vault, token);
    expect(stored(vault)).toContain('member.invited');
    expect(stored(vault)).not.toContain(token);
    expect(JSON.stringify(rowsOf(vault, workspaceId))).not.toContain(NED);
  });

  it('nobody grants above their own role', async () => {
    const admin = await member('admin');
    expect(problemCode(await invite(admin, NED, 'owner'))).toBe('forbidden');
    expect((await invite(admin, NED, 'admin')).status).toBe(201);
    expect(problemCode(await invite(await member('operator')))).toBe('forbidden');
    expect(vault.mail.sent).toHaveLength(1);
  });

  it('I5 needs step-up', async () => {
    const tired = await loggedIn(vault, OLGA);
    expect(problemCode(await invite(tired))).toBe('step_up_required');
    expect(vault.mail.sent).toEqual([]);
  });

  it('is refused for somebody who is a member already', async () => {
    await addPerson(vault, workspaceId, { email: NED, role: 'viewer' });
    expect(problemCode(await invite(olga, 'NED@example.com'))).toBe('already_member');
  });

  it('stands when its mail could not be sent, and can be repeated', async () => {
    vault.mail.isDown = true;
    const failed = await invite(olga);
    expect([failed.status, problemCode(failed)]).toEqual([503, 'unavailable']);
    expect(failed.text).toContain('was made');
    expect(await open()).toHaveLength(1);
    vault.mail.isDown = false;
    expect((await accept(vault, await invited(vault, olga, NED))).status).toBe(201);
    expect(rowsOf(vault, workspaceId).filter(({ action }) => action === 'member.invited')).toMatchObject([
      { result: 'success' },
      { result: 'failure', detail: { code: 'unavailable' } },
      { result: 'success' },
    ]);
  });
});

describe('the list of invitations', () => {
  it('has those whose links work, for every member to read, in pages', async () => {
    const used = await invited(vault, olga, 'used@example.com');
    await accept(vault, used);
    const revoked = await invite(olga, 'revoked@example.com');
    await olga.send('DELETE', `/workspace/invitations/${idOf(revoked)}`);
    await invite(olga, 'a@example.com');
    vault.clock.advance(1);
    await invite(olga, 'b@example.com', 'viewer');
    const viewer = await loggedIn(vault, 'used@example.com');
    expect(await open(viewer)).toMatchObject([
      { email: 'a@example.com', role: 'operator' },
      { email: 'b@example.com', role: 'viewer' },
    ]);
    const first = await viewer.get('/workspace/invitations', { query: { limit: '1' } });
    const cursor = String(first.body['nextCursor']);
    const second = await viewer.get('/workspace/invitations', { query: { limit: '1', cursor } });
    expect(second.body).toMatchObject({ items: [{ email: 'b@example.com' }], nextCursor: null });
  });

  it('leaves out those that have expired', async () => {
    await invite(olga);
    vault.clock.advance(7 * DAY_MS);
    expect(await open(await loggedIn(vault, OLGA))).toEqual([]);
  });
});

describe('revoking an invitation', () => {
  it('kills its link', async () => {
    const answer = await invite(olga);
    const token = vault.mail.tokenFor(NED);
    expect((await olga.send('DELETE', `/workspace/invitations/${idOf(answer)}`)).status).toBe(204);
    expect(problemCode(await accept(vault, token))).toBe('link_refused');
    expect(problemCode(await olga.send('DELETE', `/workspace/invitations/${idOf(answer)}`))).toBe(
      'not_found',
    );
  });

  it('of a role above the caller is refused', async () => {
    const path = `/workspace/invitations/${idOf(await invite(olga, NED, 'owner'))}`;
    expect(problemCode(await (await member('admin')).send('DELETE', path))).toBe('forbidden');
    expect(await open()).toHaveLength(1);
  });

  it('X2 of another workspace is as absent as any', async () => {
    const path = `/workspace/invitations/${idOf(await invite(olga))}`;
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: 'eve@example.com', role: 'owner' });
    const eve = await loggedIn(vault, 'eve@example.com', { steppedUp: true });
    expect(problemCode(await eve.send('DELETE', path))).toBe('not_found');
    expect(problemCode(await eve.send('DELETE', '/workspace/invitations/x'))).toBe('not_found');
    expect(await open(eve)).toEqual([]);
    expect(await open()).toHaveLength(1);
  });
});

import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, Browser, loggedIn } from '../../support/people.ts';
import { ADA, enrolMfa, MINUTE, peopleWorld, setPolicy, totpCode } from './world.ts';

let vault: MemoryVault;
let workspaceId: string;
beforeEach(async () => {
  ({ vault, workspaceId } = await peopleWorld());
});

const requireMfa = (id = workspaceId) => setPolicy(vault, id, { requireMfa: true });

describe('I3: a workspace that requires MFA grandfathers nobody', () => {
  it('a session that was open before is refused on its next request, but may enrol', async () => {
    const browser = await loggedIn(vault, ADA);
    expect((await browser.get('/secrets')).status).toBe(200);
    await requireMfa();
    const answer = await browser.get('/secrets');
    expect([answer.status, problemCode(answer)]).toEqual([403, 'mfa_enrollment_required']);
    expect((await browser.get('/auth/session')).body['owes']).toBe('mfa_enrollment');
    await enrolMfa(vault, browser);
    expect((await browser.get('/secrets')).status).toBe(200);
    expect((await browser.get('/auth/session')).body['owes']).toBeUndefined();
  });

  it('a new login without MFA may do nothing else either', async () => {
    await requireMfa();
    const browser = new Browser(vault);
    expect((await browser.logIn(ADA)).body['owes']).toBe('mfa_enrollment');
    await browser.stepUp();
    for (const path of ['/secrets', '/namespaces', '/api-keys', '/audit']) {
      expect(problemCode(await browser.get(path))).toBe('mfa_enrollment_required');
    }
    const reveal = { namespace: 'prod' };
    expect(problemCode(await browser.post('/secrets/reveal', reveal))).toBe('mfa_enrollment_required');
    const create = { namespace: 'prod', name: 'a', value: 'b' };
    expect(problemCode(await browser.post('/secrets', create))).toBe('mfa_enrollment_required');
  });

  it('logging out and ending sessions stays possible', async () => {
    await requireMfa();
    const browser = await loggedIn(vault, ADA);
    expect((await browser.get('/auth/sessions')).status).toBe(200);
    expect((await browser.post('/auth/logout')).status).toBe(204);
  });

  it('another workspace of the same person demands it of the session at its next refresh', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    const browser = await loggedIn(vault, ADA);
    await requireMfa(other);
    expect((await browser.get('/secrets')).status).toBe(200);
    expect((await browser.post('/auth/refresh')).body['owes']).toBe('mfa_enrollment');
    expect(problemCode(await browser.get('/secrets'))).toBe('mfa_enrollment_required');
  });

  it('switching over into it is no way around', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    await requireMfa(other);
    const browser = await loggedIn(vault, ADA);
    await browser.post('/auth/switch-workspace', { workspaceId: other });
    expect(problemCode(await browser.get('/secrets'))).toBe('mfa_enrollment_required');
  });

  it('nobody can switch their MFA off as long as it is demanded, in whatever workspace', async () => {
    const other = await addWorkspace(vault);
    await addPerson(vault, other, { email: ADA, role: 'viewer' });
    await requireMfa(other);
    const browser = await loggedIn(vault, ADA);
    await enrolMfa(vault, browser);
    await browser.stepUp();
    expect(problemCode(await browser.send('DELETE', '/auth/mfa/totp'))).toBe('mfa_required');
  });

  it('not even somebody who had MFA when they logged in, and has none any more', async () => {
    const browser = await loggedIn(vault, ADA);
    const { secret } = await enrolMfa(vault, browser);
    vault.clock.advance(MINUTE);
    const other = new Browser(vault);
    const { body } = await other.logIn(ADA);
    await other.post('/auth/mfa', { mfaToken: body['mfaToken'], code: totpCode(vault, secret) });
    expect((await browser.send('DELETE', '/auth/mfa/totp')).status).toBe(204);
    await requireMfa();
    for (const one of [browser, other]) {
      expect(problemCode(await one.get('/secrets'))).toMatch(/mfa_enrollment_required|unauthenticated/);
    }
  });
});

import { callApi, problemCode } from '../../support/call-api.ts';
import { type MemoryVault, rowsOf } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn } from '../../support/people.ts';
import { brokenWorkspaces } from '../../support/verified.ts';
import { acme, OLGA, recorded } from '../members/acme.ts';

let vault: MemoryVault;
let workspaceId: string;
let ownerKey: string;
let olga: Browser;
beforeEach(async () => {
  ({ vault, workspaceId, ownerKey } = await acme());
  olga = await loggedIn(vault, OLGA, { steppedUp: true });
});

const NED = 'ned@example.com';
const patch = (json: object, headers: Record<string, string> = {}, by = olga) =>
  by.send('PATCH', '/workspace', json, { headers });

async function member(role: 'viewer' | 'admin') {
  await addPerson(vault, workspaceId, { email: NED, role });
  return loggedIn(vault, NED, { steppedUp: true });
}

describe('the workspace', () => {
  it('is shown to its members with what it demands and with their role', async () => {
    const answer = await (await member('viewer')).get('/workspace');
    expect(answer).toMatchObject({ status: 200, headers: { ETag: '"v1"' } });
    expect(answer.body).toEqual({
      id: workspaceId,
      name: 'Acme',
      createdAt: '2026-01-01T00:00:00.000Z',
      policy: { requireMfa: false, passwordProfile: 'composition', breachUnavailable: 'refuse' },
      auditRetentionDays: 365,
      role: 'viewer',
    });
    expect(recorded(vault, workspaceId)).toContain('workspace.read success');
  });

  it('is shown to API keys, too', async () => {
    const answer = await callApi(vault, { method: 'GET', path: '/workspace', token: ownerKey });
    expect(answer).toMatchObject({ status: 200, json: { id: workspaceId, role: 'owner' } });
  });
});

describe('changing the workspace', () => {
  it('changes what is named and leaves the rest', async () => {
    const answer = await patch({ name: 'Acme 2', policy: { breachUnavailable: 'accept' } });
    expect(answer).toMatchObject({ status: 200, headers: { ETag: '"v2"' } });
    expect((await olga.get('/workspace')).body).toMatchObject({
      name: 'Acme 2',
      policy: { requireMfa: false, passwordProfile: 'composition', breachUnavailable: 'accept' },
    });
    await patch({ policy: { passwordProfile: 'length' } });
    expect((await olga.get('/workspace')).body).toMatchObject({
      name: 'Acme 2',
      policy: { passwordProfile: 'length', breachUnavailable: 'accept' },
    });
  });

  it('is recorded with the names of the fields and the values of the policy, and no name', async () => {
    await patch({ name: 'Secret plans', policy: { requireMfa: true } });
    expect(rowsOf(vault, workspaceId).find(({ action }) => action === 'workspace.updated')).toMatchObject({
      detail: { fields: 'name,requireMfa', requireMfa: 'true' },
      changes: [{ kind: 'workspace', revision: 2 }],
    });
    expect(JSON.stringify(rowsOf(vault, workspaceId))).not.toContain('Secret plans');
    expect(await brokenWorkspaces(vault)).toEqual({});
  });

  it('A7 sets for how many days audit rows are kept, and records it', async () => {
    expect(await patch({ auditRetentionDays: 2_557 })).toMatchObject({ status: 200 });
    await patch({ name: 'Acme 2' });
    expect((await olga.get('/workspace')).body).toMatchObject({ name: 'Acme 2', auditRetentionDays: 2_557 });
    expect(rowsOf(vault, workspaceId).find(({ action }) => action === 'workspace.updated')).toMatchObject({
      detail: { fields: 'auditRetentionDays', auditRetentionDays: '2557' },
    });
  });

  it('is conditional by If-Match', async () => {
    const stale = await patch({ name: 'Acme 2' }, { 'If-Match': '"v7"' });
    expect([stale.status, problemCode(stale)]).toEqual([412, 'precondition_failed']);
    expect((await patch({ name: 'Acme 2' }, { 'If-Match': '"v1"' })).status).toBe(200);
  });

  it.each([
    [{}],
    [{ policy: {} }],
    [{ name: '' }],
    [{ name: 'two\nlines' }],
    [{ policy: { requireMfa: 'yes' } }],
    [{ policy: { passwordProfile: 'none' } }],
    [{ owners: [] }],
    [{ auditRetentionDays: 364 }],
    [{ auditRetentionDays: 2_558 }],
    [{ auditRetentionDays: 365.5 }],
    [{ auditRetentionDays: '365' }],
    [{ auditRetentionDays: null }],
  ])('is refused for %j', async (json) => {
    expect(problemCode(await patch(json))).toBe('invalid_request');
  });

  it('is for owners, after step-up', async () => {
    expect(problemCode(await patch({ name: 'x' }, {}, await member('admin')))).toBe('forbidden');
    expect(problemCode(await patch({ name: 'x' }, {}, await loggedIn(vault, OLGA)))).toBe('step_up_required');
  });

  it('I3 can require MFA, which grandfathers nobody: not the owner who did it, and no open session', async () => {
    const ned = await member('viewer');
    expect((await patch({ policy: { requireMfa: true } })).status).toBe(200);
    expect(problemCode(await olga.get('/workspace'))).toBe('mfa_enrollment_required');
    expect(problemCode(await ned.get('/workspace'))).toBe('mfa_enrollment_required');
    expect((await olga.get('/auth/session')).body).toMatchObject({ owes: 'mfa_enrollment' });
    expect((await olga.post('/auth/mfa/totp')).status).toBe(201);
  });
});

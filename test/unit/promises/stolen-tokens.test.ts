import { addWorkspace } from '../../support/api-world.ts';
import { problemCode } from '../../support/call-api.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { addPerson, type Browser, loggedIn } from '../../support/people.ts';
import { ADA, copyOf, peopleWorld, SECOND } from './world.ts';

let vault: MemoryVault;
let other: string;
let victim: Browser;
beforeEach(async () => {
  ({ vault } = await peopleWorld());
  other = await addWorkspace(vault);
  await addPerson(vault, other, { email: ADA, role: 'viewer' });
  victim = await loggedIn(vault, ADA);
});

const isAlive = async (browser: Browser) => (await browser.get('/auth/session')).status === 200;

it('I4: a reuse ends the whole family, also when the thief has moved to another workspace', async () => {
  const thief = copyOf(victim, vault);
  await thief.post('/auth/refresh');
  expect((await thief.post('/auth/switch-workspace', { workspaceId: other })).status).toBe(200);
  vault.clock.advance(11 * SECOND);
  expect(problemCode(await victim.post('/auth/refresh'))).toBe('unauthenticated');
  expect(await isAlive(thief)).toBe(false);
  expect(problemCode(await thief.post('/auth/refresh'))).toBe('unauthenticated');
});

it('I4: another login of the same person is another family', async () => {
  const elsewhere = await loggedIn(vault, ADA);
  const thief = copyOf(victim, vault);
  await thief.post('/auth/refresh');
  vault.clock.advance(11 * SECOND);
  await victim.post('/auth/refresh');
  expect([await isAlive(thief), await isAlive(elsewhere)]).toEqual([false, true]);
});

it('I4: an access token alone does not become a session of its own', async () => {
  const thief = copyOf(victim, vault);
  thief.cookies.delete('__Host-lockzero_refresh');
  const answer = await thief.post('/auth/switch-workspace', { workspaceId: other });
  expect([answer.status, problemCode(answer)]).toEqual([400, 'invalid_request']);
  expect(await isAlive(victim)).toBe(true);
});

it('I4: switching to the workspace one is in makes no new session', async () => {
  const { workspace } = (await victim.get('/auth/session')).body as { workspace: { id: string } };
  const answer = await victim.post('/auth/switch-workspace', { workspaceId: workspace.id });
  expect(problemCode(answer)).toBe('invalid_request');
  expect(await isAlive(victim)).toBe(true);
});

it('I7: a cookie of another name, with a comma and one of ours in its value, is not taken for ours', async () => {
  const planted = await loggedIn(vault, ADA);
  const token = planted.cookies.get('__Host-lockzero_access') ?? '';
  const headers = { Cookie: `lang=en,__Host-lockzero_access=${token}` };
  expect((await copyOf(victim, vault).get('/auth/session', { headers })).status).toBe(401);
});

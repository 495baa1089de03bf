import { addWorkspace } from './api-world.ts';
import { addPerson, PASSWORD } from './people.ts';
import type { RouteCase } from './route-cases.ts';
import { addMember, expectSuccess, freshAddress, freshName, type World } from './world.ts';

/** Somebody else than the caller, whom every admin may manage. */
async function viewer({ vault, workspaceId }: World): Promise<string> {
  return (await addMember(vault, workspaceId, { role: 'viewer' })).id;
}

async function invite({ prepare }: World, email = `${freshName()}@example.com`) {
  const json = { email, role: 'viewer' };
  const { id } = await prepare({ method: 'POST', path: '/workspace/invitations', json });
  return { id: String(id), email };
}

/** The token in the mail to somebody who is invited. */
export async function invitationToken(world: World, email?: string): Promise<string> {
  return world.vault.mail.tokenFor((await invite(world, email)).email);
}

async function acceptance(world: World, email?: string) {
  const token = await invitationToken(world, email);
  return { path: '/invitations/accept', json: { token, password: PASSWORD }, ip: freshAddress() };
}

/** Workspaces, and who is in them. */
export const MEMBER_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'POST /workspaces', request: async () => ({ path: '/workspaces', json: { name: freshName() } }) },
  { route: 'GET /workspace', request: async () => ({ path: '/workspace' }) },
  { route: 'PATCH /workspace', request: async () => ({ path: '/workspace', json: { name: freshName() } }) },
  {
    route: 'DELETE /workspace',
    // The first workspace cannot be deleted, nor one with a good key in it.
    onlyByPeople: true,
    request: async ({ vault }, { browser, email, role }) => {
      const workspaceId = await addWorkspace(vault);
      await addPerson(vault, workspaceId, { email, role });
      await expectSuccess(browser.post('/auth/switch-workspace', { workspaceId }));
      await expectSuccess(browser.stepUp());
      return { path: '/workspace' };
    },
  },
  { route: 'GET /workspace/plan', request: async () => ({ path: '/workspace/plan' }) },
  { route: 'GET /workspace/members', request: async () => ({ path: '/workspace/members' }) },
  {
    route: 'PATCH /workspace/members/{userId}',
    request: async (world) => ({
      path: `/workspace/members/${await viewer(world)}`,
      json: { role: 'operator' },
    }),
  },
  {
    route: 'DELETE /workspace/members/{userId}',
    request: async (world) => ({ path: `/workspace/members/${await viewer(world)}` }),
  },
  {
    route: 'DELETE /workspace/members/{userId}/sessions',
    request: async (world) => ({ path: `/workspace/members/${await viewer(world)}/sessions` }),
  },
  {
    route: 'POST /workspace/invitations',
    request: async () => ({
      path: '/workspace/invitations',
      json: { email: `${freshName()}@example.com`, role: 'viewer' },
    }),
  },
  { route: 'GET /workspace/invitations', request: async () => ({ path: '/workspace/invitations' }) },
  {
    route: 'DELETE /workspace/invitations/{id}',
    request: async (world) => ({ path: `/workspace/invitations/${(await invite(world)).id}` }),
  },
  { route: 'POST /invitations/accept', request: async (world) => acceptance(world) },
  {
    route: 'POST /invitations/accept',
    when: 'with an account',
    request: async (world) => {
      const { vault } = world;
      const { email } = await addMember(vault, await addWorkspace(vault));
      return acceptance(world, email);
    },
  },
];

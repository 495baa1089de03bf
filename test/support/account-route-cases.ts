import { type TOTP, URI } from 'otpauth';
import { addWorkspace } from './api-world.ts';
import { addPerson, Browser, PASSWORD } from './people.ts';
import type { RouteCase } from './route-cases.ts';
import { expectSuccess, freshAddress, freshName, type Member, type World } from './world.ts';

const STEP_MS = 30_000;

/** Satisfies both password profiles, and is not {@link PASSWORD}. */
export const NEXT_PASSWORD = 'Another-Horse-8-Staple';

/** Starts to set up an authenticator app for somebody who is stepped up. */
async function enroll({ browser }: Member): Promise<TOTP> {
  const { uri } = await expectSuccess(browser.post('/auth/mfa/totp'));
  return URI.parse(String(uri)) as TOTP;
}

/** Switches MFA on for somebody who is stepped up. */
export async function enableMfa({ vault }: World, member: Member): Promise<TOTP> {
  const totp = await enroll(member);
  const code = totp.generate({ timestamp: vault.clock.now() });
  await expectSuccess(member.browser.post('/auth/mfa/totp/confirm', { code }));
  return totp;
}

/** The code of the next time step: that of now is used up, and this one is within the drift. */
export function laterCode({ vault }: World, totp: TOTP): string {
  return totp.generate({ timestamp: vault.clock.now() + STEP_MS });
}

/** The token in the mail to somebody who has forgotten their password. */
export async function resetToken({ vault }: World, { browser, email }: Member): Promise<string> {
  await expectSuccess(browser.post('/auth/password/forgot', { email }));
  return vault.mail.tokenFor(email);
}

/** Login, sessions, and what people do about their own account. */
export const ACCOUNT_ROUTE_CASES: readonly RouteCase[] = [
  { route: 'GET /auth/notice', request: async () => ({ path: '/auth/notice' }) },
  {
    route: 'POST /auth/login',
    request: async (_, { email }) => ({
      path: '/auth/login',
      json: { email, password: PASSWORD },
      ip: freshAddress(),
    }),
  },
  {
    route: 'POST /auth/login',
    when: 'with MFA on',
    request: async (world, by) => {
      await enableMfa(world, by);
      return { path: '/auth/login', json: { email: by.email, password: PASSWORD }, ip: freshAddress() };
    },
  },
  {
    route: 'POST /auth/mfa',
    request: async (world, by) => {
      const totp = await enableMfa(world, by);
      const { mfaToken } = await expectSuccess(by.browser.logIn(by.email));
      return { path: '/auth/mfa', json: { mfaToken, code: laterCode(world, totp) }, ip: freshAddress() };
    },
  },
  {
    route: 'POST /auth/refresh',
    request: async ({ vault }, { browser }) => ({
      path: '/auth/refresh',
      headers: {
        Cookie: browser.cookieHeader(),
        Origin: vault.publicUrl,
        'X-CSRF-Token': browser.csrfToken ?? '',
      },
    }),
  },
  { route: 'POST /auth/logout', request: async () => ({ path: '/auth/logout' }) },
  {
    route: 'POST /auth/step-up',
    request: async () => ({ path: '/auth/step-up', json: { password: PASSWORD } }),
  },
  { route: 'GET /auth/session', request: async () => ({ path: '/auth/session' }) },
  {
    route: 'POST /auth/switch-workspace',
    request: async ({ vault }, { email }) => {
      const workspaceId = await addWorkspace(vault);
      await addPerson(vault, workspaceId, { email, role: 'viewer' });
      return { path: '/auth/switch-workspace', json: { workspaceId } };
    },
  },
  {
    route: 'POST /auth/password',
    request: async () => ({
      path: '/auth/password',
      json: { currentPassword: PASSWORD, newPassword: NEXT_PASSWORD },
    }),
  },
  {
    route: 'POST /auth/password/forgot',
    request: async (_, { email }) => ({
      path: '/auth/password/forgot',
      json: { email },
      ip: freshAddress(),
    }),
  },
  {
    route: 'POST /auth/password/forgot',
    when: 'unknown address',
    request: async () => ({
      path: '/auth/password/forgot',
      json: { email: `${freshName()}@example.com` },
      ip: freshAddress(),
    }),
  },
  {
    route: 'POST /auth/password/reset',
    request: async (world, by) => ({
      path: '/auth/password/reset',
      json: { token: await resetToken(world, by), newPassword: NEXT_PASSWORD },
      ip: freshAddress(),
    }),
  },
  { route: 'POST /auth/mfa/totp', request: async () => ({ path: '/auth/mfa/totp' }) },
  {
    route: 'POST /auth/mfa/totp/confirm',
    request: async ({ vault }, by) => {
      const totp = await enroll(by);
      const code = totp.generate({ timestamp: vault.clock.now() });
      return { path: '/auth/mfa/totp/confirm', json: { code } };
    },
  },
  {
    route: 'DELETE /auth/mfa/totp',
    request: async (world, by) => {
      await enableMfa(world, by);
      return { path: '/auth/mfa/totp' };
    },
  },
  {
    route: 'POST /auth/mfa/backup-codes',
    request: async (world, by) => {
      await enableMfa(world, by);
      return { path: '/auth/mfa/backup-codes' };
    },
  },
  { route: 'GET /auth/sessions', request: async () => ({ path: '/auth/sessions' }) },
  {
    route: 'DELETE /auth/sessions/{id}',
    request: async ({ vault }, { email }) => {
      const elsewhere = new Browser(vault, freshAddress());
      const { session } = await expectSuccess(elsewhere.logIn(email));
      return { path: `/auth/sessions/${(session as { id: string }).id}` };
    },
  },
  { route: 'POST /auth/sessions/revoke-all', request: async () => ({ path: '/auth/sessions/revoke-all' }) },
];

import * as z from 'zod';
import { completeMfa } from '../../../core/identity/complete-mfa.ts';
import { csrfToken } from '../../../core/identity/csrf.ts';
import { endPresentedSession } from '../../../core/identity/end-presented-session.ts';
import { logIn } from '../../../core/identity/log-in.ts';
import { readSession } from '../../../core/identity/read-session.ts';
import { refreshSession } from '../../../core/identity/refresh-session.ts';
import { logOut } from '../../../core/identity/revoke-session.ts';
import type { PresentedFactor } from '../../../core/identity/second-factor.ts';
import { BROWSER } from '../../../core/identity/session.ts';
import { type Proof, stepUp } from '../../../core/identity/step-up.ts';
import { switchWorkspace } from '../../../core/identity/switch-workspace.ts';
import { VaultError } from '../../../core/kernel/errors.ts';
import type { Vault } from '../../shared/compose-vault.ts';
import { clearedCookies, readCookie } from '../http/cookies.ts';
import type { HttpRequest } from '../http/request.ts';
import { guarded, open } from '../http/route.ts';
import { SYSTEM_NOTICE } from '../system-notice.ts';
import { email, opaqueToken, password } from './fields.ts';
import { sessionResponse, sessionView, tokensView, viewSession } from './session-views.ts';

const sixDigits = z.string().regex(/^\d{6}$/, 'must be the six digits of your app');
const backupCode = z.string().min(1, 'must not be empty').max(32, 'is too long to be one');

/** A second factor: the code of an app, or a backup code. */
const factor = {
  code: sixDigits.optional(),
  backupCode: backupCode.optional(),
} as const;

const mfaRequiredView = z.object({
  mfaRequired: z.literal(true),
  mfaToken: z.string(),
  notice: z.string(),
});

export const authRoutes = [
  open({
    method: 'GET',
    path: '/auth/notice',
    summary: 'The notice to show before a login',
    permission: 'public',
    responses: [{ status: 200, description: 'The notice', schema: z.object({ notice: z.string() }) }],
    handle: async () => ({ status: 200, json: { notice: SYSTEM_NOTICE } }),
  }),
  open({
    method: 'POST',
    path: '/auth/login',
    summary: 'The first step of a login: opens a session in cookies, or asks for the second factor',
    permission: 'public',
    sameOrigin: true,
    body: z.strictObject({ email, password, workspaceId: z.string().max(64).optional() }),
    responses: [
      {
        status: 200,
        description: 'The session, or a token for POST /auth/mfa',
        schema: z.union([sessionView, mfaRequiredView]),
      },
    ],
    handle: async ({ body }, request, vault) => {
      const login = { ...body, deviceToken: readCookie(request, 'device'), client: BROWSER };
      const result = await logIn(vault, login, request);
      if (result.status === 'mfa_required') {
        const { mfaToken } = result;
        return { status: 200, json: { mfaRequired: true, mfaToken, notice: SYSTEM_NOTICE } };
      }
      await endEarlierSession(vault, request);
      return sessionResponse(vault, result.opened, { knows: request });
    },
  }),
  open({
    method: 'POST',
    path: '/auth/mfa',
    summary: 'The second step of a login',
    permission: 'public',
    sameOrigin: true,
    body: z.strictObject({ mfaToken: opaqueToken, ...factor }),
    responses: [{ status: 200, description: 'The session', schema: sessionView }],
    handle: async ({ body }, request, vault) => {
      const step = {
        mfaToken: body.mfaToken,
        factor: presentedFactor(body),
        deviceToken: readCookie(request, 'device'),
        client: BROWSER,
      };
      const { opened } = await completeMfa(vault, step, request);
      await endEarlierSession(vault, request);
      return sessionResponse(vault, opened, { knows: request });
    },
  }),
  open({
    method: 'POST',
    path: '/auth/refresh',
    summary: 'Exchanges the refresh token in the cookie for the next one and a fresh access token',
    permission: 'public',
    sameOrigin: true,
    responses: [{ status: 200, description: 'The session', schema: sessionView }],
    handle: async (_, request, vault) => {
      const refreshToken = readCookie(request, 'refresh') ?? '';
      const csrf = { token: request.header('x-csrf-token') };
      const { opened } = await refreshSession(vault, { refreshToken, client: BROWSER, csrf }, request);
      return sessionResponse(vault, opened);
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/logout',
    summary: 'Ends the session at once',
    permission: 'session:manage',
    action: 'session.ended',
    takesRefreshCookie: true,
    responses: [{ status: 204, description: 'It is over' }],
    handle: async (_, context, vault) => {
      await logOut(vault, context);
      return { status: 204, cookies: clearedCookies() };
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/step-up',
    summary: 'Proves once more who is at work, for five minutes; earlier tokens of the session are dead',
    permission: 'session:manage',
    action: 'authentication.stepped_up',
    body: z.strictObject({ password: password.optional(), ...factor }),
    responses: [
      {
        status: 200,
        description: 'The session; clients without cookies get their new tokens in it',
        schema: sessionView.extend({ tokens: tokensView.optional() }),
      },
    ],
    handle: async ({ body }, context, vault) => {
      const { opened } = await stepUp(vault, context, presentedProof(body));
      return sessionResponse(vault, opened);
    },
  }),
  guarded({
    method: 'GET',
    path: '/auth/session',
    summary: 'The session: whose it is, when to warn, and when it ends; asking does not prolong it',
    permission: 'session:manage',
    action: 'session.read',
    passive: true,
    takesRefreshCookie: true,
    responses: [{ status: 200, description: 'The session', schema: sessionView }],
    handle: async (_, context, vault) => {
      const description = await readSession(vault, context);
      const token = await csrfToken(vault.derivedKeys, description.session.id);
      return { status: 200, json: viewSession(description, token) };
    },
  }),
  guarded({
    method: 'POST',
    path: '/auth/switch-workspace',
    summary: 'Goes on in another workspace of the caller, in a new session',
    permission: 'session:manage',
    action: 'session.switched',
    body: z.strictObject({ workspaceId: z.string().max(64), refreshToken: opaqueToken.optional() }),
    responses: [
      {
        status: 200,
        description: 'The new session',
        schema: sessionView.extend({ tokens: tokensView.optional() }),
      },
    ],
    handle: async ({ body }, context, vault, request) => {
      const refreshToken = body.refreshToken ?? readCookie(request, 'refresh');
      const { workspaceId } = body;
      const { opened } = await switchWorkspace(vault, context, { workspaceId, refreshToken });
      return sessionResponse(vault, opened);
    },
  }),
];

/** Whoever logs in anew in a browser does not leave the session that was there before behind. */
async function endEarlierSession(vault: Vault, request: HttpRequest): Promise<void> {
  const refreshToken = readCookie(request, 'refresh');
  if (refreshToken !== undefined) await endPresentedSession(vault, { refreshToken, client: BROWSER });
}

interface FactorFields {
  readonly code?: string | undefined;
  readonly backupCode?: string | undefined;
}

function presentedFactor({ code, backupCode: backup }: FactorFields): PresentedFactor {
  if (code !== undefined && backup === undefined) return { code };
  if (backup !== undefined && code === undefined) return { backupCode: backup };
  throw oneOf('"code" or "backupCode"');
}

function presentedProof(body: FactorFields & { readonly password?: string | undefined }): Proof {
  if (body.password === undefined) {
    if (body.code === undefined && body.backupCode === undefined)
      throw oneOf('"password", "code" or "backupCode"');
    return presentedFactor(body);
  }
  if (body.code !== undefined || body.backupCode !== undefined)
    throw oneOf('"password", "code" or "backupCode"');
  return { password: body.password };
}

function oneOf(fields: string): VaultError {
  return new VaultError('invalid_request', `Send exactly one of ${fields}.`, {
    errors: [{ path: '', reason: `must have exactly one of ${fields}` }],
  });
}

import type { Role } from '../../../core/access/role.ts';

/** Who may use a route. */
export interface RouteRule {
  readonly least: Role;
  /** API keys are refused. */
  readonly people?: true;
  /** A person's own affairs, which somebody who owes a second factor or a new password can settle. */
  readonly personal?: true;
  /** People have to prove once more who they are. */
  readonly stepUp?: true;
  /** Not for those who are limited to some namespaces. */
  readonly wide?: true;
}

const PERSONAL = { least: 'viewer', people: true, personal: true } as const;
const PERSONAL_MFA = { ...PERSONAL, stepUp: true } as const;

/** Every guarded route, written out apart from the table in `core/access/role.ts`: a changed rule shows here. */
export const ROUTE_RULES: Readonly<Record<string, RouteRule>> = {
  'POST /auth/logout': PERSONAL,
  'POST /auth/step-up': PERSONAL,
  'GET /auth/session': PERSONAL,
  'POST /auth/switch-workspace': PERSONAL,
  'POST /auth/password': PERSONAL,
  'POST /auth/mfa/totp': PERSONAL_MFA,
  'POST /auth/mfa/totp/confirm': PERSONAL_MFA,
  'DELETE /auth/mfa/totp': PERSONAL_MFA,
  'POST /auth/mfa/backup-codes': PERSONAL_MFA,
  'GET /auth/sessions': PERSONAL,
  'DELETE /auth/sessions/{id}': PERSONAL,
  'POST /auth/sessions/revoke-all': PERSONAL,
  'POST /workspaces': { least: 'owner', people: true, stepUp: true },
  'GET /workspace': { least: 'viewer' },
  'PATCH /workspace': { least: 'owner', stepUp: true, wide: true },
  'DELETE /workspace': { least: 'owner', stepUp: true, wide: true },
  'GET /workspace/encryption-key': { least: 'admin', wide: true },
  'PUT /workspace/encryption-key': { least: 'owner', people: true, stepUp: true, wide: true },
  'DELETE /workspace/encryption-key': { least: 'owner', people: true, stepUp: true, wide: true },
  'DELETE /workspace/encryption-key/previous': { least: 'owner', people: true, stepUp: true, wide: true },
  'GET /workspace/secrets-sync': { least: 'admin', wide: true },
  'PUT /workspace/secrets-sync': { least: 'owner', people: true, stepUp: true, wide: true },
  'DELETE /workspace/secrets-sync': { least: 'owner', people: true, stepUp: true, wide: true },
  'POST /workspace/secrets-sync/bootstrap-key': { least: 'owner', people: true, stepUp: true, wide: true },
  'GET /workspace/plan': { least: 'admin', wide: true },
  'GET /workspace/members': { least: 'viewer', wide: true },
  'PATCH /workspace/members/{userId}': { least: 'admin', stepUp: true, wide: true },
  'DELETE /workspace/members/{userId}': { least: 'admin', stepUp: true, wide: true },
  'DELETE /workspace/members/{userId}/sessions': { least: 'admin', stepUp: true, wide: true },
  'POST /workspace/invitations': { least: 'admin', stepUp: true, wide: true },
  'GET /workspace/invitations': { least: 'viewer', wide: true },
  'DELETE /workspace/invitations/{id}': { least: 'admin', stepUp: true, wide: true },
  'GET /namespaces': { least: 'viewer' },
  'POST /namespaces': { least: 'operator' },
  'DELETE /namespaces/{namespace}': { least: 'admin' },
  'POST /secrets': { least: 'operator' },
  'GET /secrets': { least: 'viewer' },
  'GET /secrets/export': { least: 'viewer', stepUp: true },
  'POST /secrets/import': { least: 'operator' },
  'GET /secrets/{id}': { least: 'viewer' },
  'PATCH /secrets/{id}': { least: 'operator' },
  'DELETE /secrets/{id}': { least: 'operator' },
  'POST /secrets/{id}/restore': { least: 'operator' },
  'PUT /secrets/{id}/value': { least: 'operator' },
  'POST /secrets/{id}/reveal': { least: 'operator', stepUp: true },
  'POST /secrets/reveal': { least: 'operator', stepUp: true },
  'GET /secrets/{id}/versions': { least: 'viewer' },
  'POST /secrets/{id}/rollback': { least: 'operator' },
  'GET /namespaces/{namespace}/secrets/{name}/value': { least: 'operator', stepUp: true },
  'POST /api-keys': { least: 'admin', stepUp: true },
  'GET /api-keys': { least: 'admin', wide: true },
  'POST /api-keys/{id}/rotate': { least: 'admin', stepUp: true },
  'DELETE /api-keys/{id}': { least: 'admin', stepUp: true },
  'POST /workspace/webhooks': { least: 'admin', stepUp: true, wide: true },
  'GET /workspace/webhooks': { least: 'admin', wide: true },
  'GET /workspace/webhooks/{id}': { least: 'admin', wide: true },
  'PATCH /workspace/webhooks/{id}': { least: 'admin', stepUp: true, wide: true },
  'DELETE /workspace/webhooks/{id}': { least: 'admin', stepUp: true, wide: true },
  'POST /workspace/webhooks/{id}/rotate-secret': { least: 'admin', stepUp: true, wide: true },
  'POST /workspace/webhooks/{id}/test': { least: 'admin', stepUp: true, wide: true },
  'POST /workspace/webhooks/{id}/replay': { least: 'admin', stepUp: true, wide: true },
  'POST /workspace/webhooks/{id}/backfill': { least: 'admin', stepUp: true, wide: true },
  'GET /workspace/webhooks/{id}/deliveries': { least: 'admin', wide: true },
  'GET /alerts': { least: 'admin', wide: true },
  'GET /alerts/{id}': { least: 'admin', wide: true },
  'POST /alerts/{id}/acknowledge': { least: 'admin', wide: true },
  'POST /alerts/{id}/close': { least: 'admin', wide: true },
  'GET /workspace/detection': { least: 'admin', wide: true },
  'PATCH /workspace/detection': { least: 'admin', stepUp: true, wide: true },
  'POST /findings': { least: 'admin', wide: true },
  'GET /findings': { least: 'admin', wide: true },
  'GET /findings/{id}': { least: 'admin', wide: true },
  'PATCH /findings/{id}': { least: 'admin', wide: true },
  'POST /risks': { least: 'admin', wide: true },
  'GET /risks': { least: 'admin', wide: true },
  'GET /risks/{id}': { least: 'admin', wide: true },
  'PATCH /risks/{id}': { least: 'admin', wide: true },
  'GET /workspace/posture': { least: 'admin', wide: true },
  'GET /audit': { least: 'admin', wide: true },
  'GET /audit/export': { least: 'admin', stepUp: true, wide: true },
  'POST /audit/verify': { least: 'admin', wide: true },
  'POST /audit/verifications': { least: 'admin', wide: true },
  'GET /audit/verifications/{id}': { least: 'admin', wide: true },
  'GET /audit/checkpoint': { least: 'admin', wide: true },
  'GET /audit/proof/inclusion': { least: 'admin', wide: true },
  'GET /audit/proof/consistency': { least: 'admin', wide: true },
  'GET /audit/evidence/event': { least: 'admin', stepUp: true, wide: true },
  'GET /audit/evidence': { least: 'admin', stepUp: true, wide: true },
  'GET /audit/evidence/rows': { least: 'admin', stepUp: true, wide: true },
  'GET /workspace/evidence-schedule': { least: 'admin', wide: true },
  'PUT /workspace/evidence-schedule': { least: 'admin', stepUp: true, wide: true },
  'DELETE /workspace/evidence-schedule': { least: 'admin', stepUp: true, wide: true },
};

/** Requests that need more or less than the permission of their route says, because of what they ask for. */
export const CASE_RULES: Readonly<Record<string, RouteRule>> = {
  // Destroying is for owners.
  'DELETE /secrets/{id}, purge': { least: 'owner', stepUp: true },
  // What is a decoy is for those who plant them to know.
  'POST /secrets, a decoy': { least: 'admin', stepUp: true, wide: true },
  'GET /secrets, decoys': { least: 'admin', stepUp: true, wide: true },
};

/** Every route that asks nobody who they are, and why. */
export const PUBLIC_ROUTES: Readonly<Record<string, string>> = {
  'GET /health': 'says nothing but that it answers',
  'GET /openapi.json': 'the same for everybody',
  'POST /setup': 'its token is the proof, and it is limited',
  'GET /auth/notice': 'the same for everybody, shown before a login',
  'POST /auth/login': 'the proof is in its body, and it is limited',
  'POST /auth/mfa': 'the token of the first step is the proof, and it is limited',
  'POST /auth/refresh': 'the refresh token is the proof, and it is limited',
  'POST /auth/password/forgot': 'answers the same for every address, and is limited',
  'POST /auth/password/reset': 'the token from the mail is the proof, and it is limited',
  'GET /.well-known/oauth-authorization-server': 'the same for everybody',
  'GET /.well-known/jwks.json': 'public keys',
  'GET /oauth/authorize': 'a page: the login or, to a session, the question',
  'POST /oauth/authorize': 'finds out by itself whose session it is, since it answers with pages',
  'POST /oauth/login': 'the proof is in its form, and it is limited',
  'POST /oauth/mfa': 'the token of the first step is the proof, and it is limited',
  'POST /oauth/token': 'the code or the refresh token is the proof, and it is limited',
  'POST /oauth/revoke': 'the token is the proof',
  'GET /accept-invitation': 'a form that looks nothing up',
  'POST /accept-invitation': 'as POST /invitations/accept',
  'GET /reset-password': 'a form that looks nothing up',
  'POST /reset-password': 'as POST /auth/password/reset',
  'POST /invitations/accept': 'the token from the mail and a password are the proof, and it is limited',
};

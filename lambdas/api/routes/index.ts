import { open, type Route } from '../http/route.ts';
import { describeApi } from '../openapi.ts';
import { accountRoutes } from './account.ts';
import { alertRoutes } from './alerts.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { auditRoutes } from './audit.ts';
import { authRoutes } from './auth.ts';
import { detectionRoutes } from './detection.ts';
import { encryptionKeyRoutes } from './encryption-key.ts';
import { evidenceRoutes } from './evidence.ts';
import { evidenceScheduleRoutes } from './evidence-schedule.ts';
import { findingRoutes } from './findings.ts';
import { memberRoutes } from './members.ts';
import { namespaceRoutes } from './namespaces.ts';
import { oauthRoutes } from './oauth.ts';
import { oauthAuthorizeRoutes } from './oauth-authorize.ts';
import { oauthLoginRoutes } from './oauth-login.ts';
import { pageRoutes } from './pages.ts';
import { planRoutes } from './plan.ts';
import { postureRoutes } from './posture.ts';
import { publicRoutes } from './public.ts';
import { riskRoutes } from './risks.ts';
import { secretValueRoutes } from './secret-values.ts';
import { secretRoutes } from './secrets.ts';
import { secretsSyncRoutes } from './secrets-sync.ts';
import { verificationRoutes } from './verifications.ts';
import { webhookRoutes } from './webhooks.ts';
import { workspaceRoutes } from './workspaces.ts';

/** Built at the first request for it: that takes longer than answering most others. */
let description: object | undefined;

/** Every route of the API. */
export const routes: readonly Route[] = [
  ...publicRoutes,
  open({
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description (OpenAPI 3.1)',
    permission: 'public',
    responses: [{ status: 200, description: 'The description of the API' }],
    handle: async () => {
      description ??= describeApi(routes);
      return { status: 200, json: description };
    },
  }),
  ...authRoutes,
  ...accountRoutes,
  ...oauthRoutes,
  ...oauthAuthorizeRoutes,
  ...oauthLoginRoutes,
  ...pageRoutes,
  ...workspaceRoutes,
  ...planRoutes,
  ...encryptionKeyRoutes,
  ...memberRoutes,
  ...namespaceRoutes,
  ...secretRoutes,
  ...secretValueRoutes,
  ...apiKeyRoutes,
  ...auditRoutes,
  ...evidenceRoutes,
  ...evidenceScheduleRoutes,
  ...verificationRoutes,
  ...webhookRoutes,
  ...secretsSyncRoutes,
  ...detectionRoutes,
  ...alertRoutes,
  ...findingRoutes,
  ...riskRoutes,
  ...postureRoutes,
];
